import type { EventType } from '@grantlog/contracts'
import { describeWithKafka, eventually, ownKafka, testKafka } from '@grantlog/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Connection } from '../connection.js'
import { ChainBroken } from '../errors.js'
import { partitionOf } from '../partition.js'
import { anId, revoked, suspended } from '../specs/a-log.js'
import { aSource, Reader, type Source } from '../specs/a-source.js'
import { EmbeddedTransport } from './embedded.js'
import { KafkaTransport } from './kafka.js'
import type { KafkaOptions } from './kafka-client.js'
import { KafkaSink } from './kafka-sink.js'
import { applyTopics, verifyTopics } from './kafka-topics.js'
import type { Delivery, Position, Subscription, Transport } from './transport.js'

let source: Source
let transport: Transport
let subscriptions: Subscription[] = []

describe('embedded', () => {
  contract(async () => {
    source = await aSource()
    transport = new EmbeddedTransport({ clients: source.log.url })
  })

  it('reports a number that is missing in the log, and hands over nothing after it', async () => {
    await source.append(suspended('a'), suspended('b'), suspended('c'))
    await eventually(async () => expect(await source.events()).toHaveLength(3))
    await source.log.pool.query('delete from events where log_seq = 2')
    const reader = await read(new Reader(['clients']))
    await eventually(() =>
      expect(reader.troubles).toContainEqual(
        expect.objectContaining({ expected: 1, found: { previous: 2, logSeq: 3 } }),
      ),
    )
    expect(reader.troubles[0]).toBeInstanceOf(ChainBroken)
    expect(reader.delivered).toEqual([])
  })

  it.each([
    ['it does not want', (n: number) => suspended(`client-${n}`)],
    ['nothing depends on', (n: number) => revoked(`token-${n}`, null, 'token')],
  ])('does not look whenever something happens that %s', async (_, something) => {
    const asked: string[] = []
    const looks = () => asked.filter(name => name.startsWith('read-part')).length
    transport = new EmbeddedTransport({ clients: poolThatNotes(asked) })
    const reader = new Reader(['revocations'])
    await read(Object.assign(reader, { concerned: (_: EventType, category: string) => category !== 'token' }))
    await source.append(revoked('first'))
    await eventually(() => expect(reader.events()).toHaveLength(1))
    const [before, began] = [looks(), performance.now()]
    for (let n = 1; n <= 40; n++) {
      await source.append(something(n))
      await eventually(async () => expect(await source.events()).toHaveLength(1 + n))
    }
    const byItself = (performance.now() - began) / 250
    expect(looks() - before).toBeLessThanOrEqual(byItself + 2)
    await source.append(revoked('second'))
    const wanted = (await source.events()).filter(({ type }) => type.startsWith('token.revoked'))
    await eventually(() => expect(reader.events()).toEqual(wanted))
  })

  it('is asked for its end alone where nothing happens, once for all who follow', async () => {
    const asked: string[] = []
    transport = new EmbeddedTransport({ clients: poolThatNotes(asked) })
    const readers = [1, 2, 3].map(() => new Reader(['revocations']))
    let heard = 0
    for (const [index, reader] of readers.entries()) {
      reader.alive = () => {
        if (index === 0) heard += 1
      }
      await read(reader)
    }
    await source.append(revoked('first'))
    await eventually(() => expect(readers.map(reader => reader.events().length)).toEqual([1, 1, 1]))
    await eventually(() => expect(asked.slice(-2)).toEqual(['log-end', 'log-end']))
    asked.length = heard = 0
    await eventually(() => expect(heard).toBeGreaterThan(3))
    expect(new Set(asked)).toEqual(new Set(['log-end']))
    expect(asked.length).toBeLessThanOrEqual(heard + 1)
  })

  it('reads on though nobody says that there is more: a network can forget who listens', async () => {
    const deaf = source.log.another({
      Client: class extends Connection {
        override emit(name: string | symbol, ...args: unknown[]): boolean {
          return name !== 'notification' && super.emit(name, ...args)
        }
      },
    })
    transport = new EmbeddedTransport({ clients: deaf })
    const reader = await read(new Reader(['revocations']))
    for (let n = 1; n <= 3; n++) {
      await source.append(revoked(`number-${n}`))
      await eventually(() => expect(reader.events()).toHaveLength(n))
    }
  })

  it('goes on when its connections are killed', async () => {
    const reader = await read(new Reader(['clients']))
    for (let n = 1; n <= 4; n++) {
      await source.append(suspended(`client-${n}`))
      await eventually(() => expect(reader.events()).toHaveLength(n))
      for (const last of ['listen grantlog_', 'from events', 'from log_end']) await source.log.kill(last)
    }
    expect(reader.events()).toEqual(await source.events())
  })
})

describeWithKafka('Kafka', () => {
  let options: KafkaOptions
  let lose: (clientId: string) => void

  beforeAll(async () => {
    options = { clientId: 'spec', ...(await testKafka()) }
  })

  contract(async () => {
    options = { ...options, topicPrefix: `${anId()}.` } // a log of its own has topics of its own
    await applyTopics(options)
    const [sink, lost] = [new KafkaSink(options), new Set<string>()]
    lose = clientId => void lost.add(`client-${clientId}`)
    source = await aSource({
      send: messages => sink.send(messages.filter(({ key }) => !lost.has(key))),
      close: () => sink.close(),
    })
    transport = new KafkaTransport(options)
  })

  it('reports a heartbeat that names an event which never came, and is not alive any more', async () => {
    const reader = await read(new Reader(['revocations']))
    await source.append(revoked('known'))
    await eventually(() => expect(reader.events()).toHaveLength(1))
    await eventually(() => expect(reader.heard.length).toBeGreaterThan(0))
    expect(reader.troubles).toEqual([])
    const [[place] = []] = reader.partitions()
    const same = await anotherStreamOf(place ?? '')
    lose(same)
    await source.append(revoked(same))
    await eventually(() => expect(reader.troubles[0]).toBeInstanceOf(ChainBroken))
    const known = Math.max(...reader.heard.map(Number))
    await eventually(() => expect(reader.troubles.length).toBeGreaterThan(3)) // 500 ms between two
    expect(Math.max(...reader.heard.map(Number))).toBe(known)
  })

  it('reports an event that never came, though later ones do, to one that began at a time', async () => {
    const since = new Date(Date.now() - 60_000)
    const reader = await read(new Reader(['revocations'], () => ({ at: since })))
    await source.append(revoked('known'))
    await eventually(() => expect(reader.heard.length).toBeGreaterThan(0))
    await eventually(() => expect(reader.events()).toHaveLength(1))
    const [[place] = []] = reader.partitions()
    const [same, later] = [await anotherStreamOf(place ?? ''), await anotherStreamOf(place ?? '')]
    lose(same)
    await source.append(revoked(same), revoked(later))
    const broken = () => reader.troubles.filter(trouble => trouble instanceof ChainBroken)
    await eventually(() => expect(broken().length).toBeGreaterThan(0))
    const known = Math.max(...reader.heard.map(Number))
    await eventually(() => expect(broken().length).toBeGreaterThan(3))
    expect(Math.max(...reader.heard.map(Number))).toBe(known)
  })

  it('has its topics made once, and says what is wrong with them', async () => {
    const none = { ...options, topicPrefix: `${anId()}.` }
    const missing = await verifyTopics(none)
    expect(missing).toContain(`${none.topicPrefix}grantlog.revocations.v1 is missing`)
    expect(missing).toHaveLength((await applyTopics(none)).created.length)
    expect(await applyTopics(options)).toEqual({ created: [], wrong: [] })
  })
})

describeWithKafka('a broker that is killed', () => {
  afterEach(end)

  it('in the middle and started again has lost nothing and changed no order', async () => {
    const broker = await ownKafka()
    try {
      const options = { clientId: 'spec', brokers: broker.brokers }
      await applyTopics(options)
      source = await aSource(new KafkaSink(options))
      transport = new KafkaTransport(options)
      const reader = await read(new Reader(['clients']))
      const clients = Array.from({ length: 20 }, anId)
      const round = () => source.append(...clients.map(id => suspended(id)))
      for (let n = 0; n < 5; n++) await round()
      await eventually(() => expect(reader.events().length).toBeGreaterThan(20))
      const killed = (async () => {
        await broker.kill()
        await round() // appended while there is no broker
        await broker.restart()
      })()
      for (let n = 0; n < 9; n++) await round()
      await killed
      await eventually(() => expect(reader.events()).toHaveLength(300), {
        timeout: 60_000,
      })
      const applied = [...reader.partitions().values()].flatMap(events => chained(events))
      expect(applied.sort((a, b) => a.logseq - b.logseq)).toEqual(await source.events())
    } finally {
      await end()
      await broker.stop()
    }
  })
})

/** What both transports promise. */
function contract(open: () => Promise<void>): void {
  beforeEach(open)
  afterEach(end)

  it('brings every event of its topics, each partition a chain, each stream in order', async () => {
    const clients = Array.from({ length: 20 }, anId)
    const early = await read(new Reader(['clients', 'revocations']))
    for (let n = 0; n < 5; n++)
      await source.append(...clients.map(id => (n % 2 ? revoked(id) : suspended(id, `${n}`))))
    const [late, only] = [
      await read(new Reader(['clients', 'revocations'])),
      await read(new Reader(['revocations'])),
    ]
    await eventually(() => {
      for (const reader of [early, late]) expect(reader.events()).toHaveLength(100)
      expect(only.events()).toHaveLength(40)
    })

    const events = await source.events()
    for (const reader of [early, late]) {
      expect(reader.events()).toEqual(events)
      for (const partition of reader.partitions().values()) expect(() => chained(partition)).not.toThrow()
    }
    expect(only.events()).toEqual(events.filter(({ type }) => type === 'token.revoked.v1'))
    const ids = (reader: Reader) =>
      [...reader.partitions()]
        .map(([place, delivered]) => [place, chained(delivered).map(({ id }) => id)])
        .sort()
    expect(ids(early)).toEqual(ids(late))
  })

  it('goes on after a position, and from an older one with the same links', async () => {
    const clients = Array.from({ length: 12 }, anId)
    const first = await read(new Reader(['clients']))
    for (let n = 0; n < 3; n++) await source.append(...clients.map(id => suspended(id)))
    await eventually(() => expect(first.events()).toHaveLength(36))
    await subscriptions.pop()?.stop()
    await source.append(...clients.map(id => suspended(id, 'after')))

    const start: Position = { lastSeq: {}, nextOffset: null }
    const at = (topic: string, partition: number) => first.positions.get(`${topic}:${partition}`) ?? start
    const exact = await read(new Reader(['clients'], at))
    const elsewhere = await read(
      // as another transport leaves it behind
      new Reader(['clients'], (topic, partition) => ({ ...at(topic, partition), nextOffset: null })),
    )
    await eventually(() => expect(exact.events()).toHaveLength(12))
    const news = (await source.events()).slice(36)
    expect(exact.events()).toEqual(news)
    await eventually(() => expect(elsewhere.events().slice(-12)).toEqual(news))
    for (const reader of [exact, elsewhere])
      for (const [place, delivered] of reader.partitions()) {
        const known = first.positions.get(place) ?? start
        expect(() => chained(delivered, known.lastSeq.clients)).not.toThrow()
      }
  })

  it('begins at a time', async () => {
    const before = await read(new Reader(['clients']))
    await source.append(suspended('before'))
    await eventually(() => expect(before.events()).toHaveLength(1))
    const time = new Date(Date.now() + 1)
    await eventually(() => expect(Date.now()).toBeGreaterThan(time.getTime()))
    await source.append(suspended('after'), suspended('before', 'again'))
    const since = await read(new Reader(['clients'], () => ({ at: time })))
    await eventually(() => expect(since.events()).toHaveLength(2))
    await source.append(suspended('later'))
    await eventually(() => expect(since.events()).toHaveLength(3))
    expect(since.events()).toEqual((await source.events()).slice(1))
    const future = await read(new Reader(['clients'], () => ({ at: new Date(Date.now() + 60_000) })))
    await eventually(() => expect(before.events()).toHaveLength(4))
    expect(future.events()).toEqual([])
  })

  it.each([
    ['a position', (): Position => ({ lastSeq: {}, nextOffset: null })],
    ['a time', () => ({ at: new Date(0) })],
  ])('brings again what a consumer refused, skips nothing and says so, begun at %s', async (_, begin) => {
    let refusals = 0
    const refuse = async ({ events }: Delivery) => {
      const hit = events.some(({ event }) => Reflect.get(event.data, 'reason') === 'poison')
      if (hit && ++refusals <= 2) throw new TypeError('fetch failed') // the kind that ends a consumer of kafkajs for good
    }
    const reader = await read(new Reader(['clients'], begin, refuse))
    const clients = Array.from({ length: 12 }, anId)
    await source.append(...clients.map(id => suspended(id)))
    await eventually(() => expect(reader.events()).toHaveLength(12))
    const [victim = ''] = clients
    await source.append(suspended(victim, 'poison'), ...clients.map(id => suspended(id, 'after')))
    await eventually(() => expect(reader.events()).toHaveLength(25))
    expect(refusals).toBeGreaterThan(2)
    expect(reader.troubles.filter(error => error instanceof TypeError)).toHaveLength(2)
    const applied = [...reader.partitions().values()].flatMap(delivered => chained(delivered))
    expect(applied.sort((a, b) => a.logseq - b.logseq)).toEqual(await source.events())
  })

  it('is alive in silence and under load, and only up to where everything was delivered', async () => {
    const said: { id: string; time: number }[] = []
    const check: string[] = []
    const reader = new Reader(['revocations'], () => ({ at: new Date() }))
    reader.alive = (name, time) => {
      const delivered = new Set(reader.events().map(({ subject }) => subject))
      const missing = said.filter(({ id, time: at }) => at < time.getTime() && !delivered.has(`client-${id}`))
      check.push(...missing.map(({ id }) => `${name} was alive at ${time.toISOString()} without ${id}`))
      reader.heard.push(time)
    }
    await read(reader)
    await eventually(() => expect(reader.heard.length).toBeGreaterThan(1)) // nothing was ever said

    // from now on a transaction is always open that is older than the next event
    const began = Date.now()
    let open = await openTransaction()
    await eventually(async () => {
      const id = anId()
      await source.append(revoked(id))
      said.push({ id, time: Date.now() })
      const next = await openTransaction()
      await source.append(suspended('other'))
      await open.commit()
      open = next
      expect(reader.heard.filter(time => time.getTime() > began).length).toBeGreaterThan(1)
    }).finally(() => open.commit())
    await eventually(() => expect(reader.events()).toHaveLength(said.length))
    await eventually(() =>
      expect(reader.heard.at(-1)?.getTime()).toBeGreaterThan(said.at(-1)?.time ?? Infinity),
    )
    expect(check).toEqual([])
  })

  it('hands over nothing any more when it was stopped', async () => {
    let busy = false
    let entered = false
    const reader = new Reader(['clients'], undefined, async () => {
      busy = entered = true
      await new Promise(resolve => setTimeout(resolve, 50))
      busy = false
    })
    const subscription = await transport.subscribe(reader)
    await source.append(suspended('a'))
    await eventually(() => expect(entered).toBe(true))
    await subscription.stop()
    expect(busy).toBe(false)
    const count = reader.delivered.length
    const witness = await read(new Reader(['clients']))
    await source.append(suspended('a', 'again'))
    await eventually(() => expect(witness.events()).toHaveLength(2))
    expect(reader.delivered).toHaveLength(count)
  })
}

/** Notes the names of the statements that it is asked. */
function poolThatNotes(asked: string[]) {
  return source.log.another({
    Client: class extends Connection {
      override query(...args: never[]): never {
        asked.push(String(Reflect.get(Object(args[0]), 'name') ?? args[0]))
        return Reflect.apply(super.query, this, args) as never
      }
    },
  })
}

async function openTransaction() {
  const client = await source.log.pool.connect()
  await client.query('begin; select pg_current_xact_id()')
  return { commit: () => client.query('commit').finally(() => client.release()) }
}

async function read(reader: Reader): Promise<Reader> {
  subscriptions.push(await transport.subscribe(reader))
  return reader
}

async function end(): Promise<void> {
  await Promise.all(subscriptions.map(subscription => subscription.stop()))
  subscriptions = []
  await transport.close()
  await source.stop()
}

/** What a consumer applies of a partition: duplicates are dropped, a gap is refused. */
function chained(
  delivered: ReturnType<Reader['partitions']> extends Map<string, infer E> ? E : never,
  after = 0,
) {
  let last = after
  return delivered.flatMap(({ event, previous }) => {
    if (event.logseq <= last) return []
    if (previous !== last) throw new Error(`event ${event.logseq} follows ${previous}, not ${last}`)
    last = event.logseq
    return [event]
  })
}

/** Another client whose revocations go to the same partition. */
async function anotherStreamOf(place: string): Promise<string> {
  for (;;) {
    const id = anId()
    if (place === `revocations:${partitionOf('revocations', `client-${id}`)}`) return id
  }
}
