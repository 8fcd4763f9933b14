import { eventLine, parseEventLine } from '@grantlog/contracts'
import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EventStore } from './event-store.js'
import { lastSeqOf, readLog } from './log.js'
import { type EventSink, type OutgoingMessage, Publisher } from './publisher.js'
import { aLog, anAppend, anId, type LogDatabase, revoked, suspended } from './specs/a-log.js'

let log: LogDatabase
let store: EventStore
let broker: Broker

beforeEach(async () => {
  log = await aLog('publisher')
  store = new EventStore(log.pool)
  broker = new Broker()
})
afterEach(async () => {
  await store?.close()
  await log?.drop()
})

/** A broker that keeps what it was sent, and can fail before or after that. */
class Broker implements EventSink {
  readonly messages: OutgoingMessage[] = []
  fail: 'before' | 'after' | undefined
  /** What happens while a batch is on its way. */
  meanwhile: () => Promise<void> = async () => undefined

  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    await this.meanwhile()
    const fail = this.fail
    this.fail = undefined
    if (fail === 'before') throw new Error('Refused')
    this.messages.push(...messages)
    if (fail === 'after') throw new Error('Stored, and the acknowledgement was lost')
  }

  async close(): Promise<void> {
    this.fail = undefined
  }

  /** What a consumer applies: duplicates are dropped, a gap is refused. */
  applied(): string[] {
    const last = new Map<string, number>()
    return this.messages.flatMap(({ topic, partition, value, previous }) => {
      const place = `${topic}:${partition}`
      const { logseq } = parseEventLine(value)
      const known = last.get(place) ?? 0
      if (logseq <= known) return []
      if (previous !== known) throw new Error(`${place}: event ${logseq} follows ${previous}, not ${known}`)
      last.set(place, logseq)
      return [value]
    })
  }
}

const aPublisher = () => new Publisher(log.pool, 'clients', broker)

async function append(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const id = anId()
    await store.append(anAppend(store, id, 0, [suspended(id), revoked(id)]))
  }
}

async function cursor(): Promise<number> {
  const { rows } = await log.pool.query<{ cursor: number }>('select cursor::int from publisher')
  return rows[0]?.cursor ?? -1
}

/** Publishes a batch, until the cursor is saved too. */
async function publish(publisher: Publisher): Promise<boolean> {
  const more = await publisher.publish()
  await publisher.settled()
  return more
}

/** Publishes until nothing is left. */
async function drain(publisher: Publisher): Promise<void> {
  await publish(publisher)
  while ((await cursor()) < (await lastSeqOf(log.pool))) await publish(publisher)
}

describe('the publisher', () => {
  it('sends every event once, in the order of the log, each partition a chain', async () => {
    await append(20)
    const publisher = aPublisher()
    expect(await publish(publisher)).toBe(false)
    await append(10)
    await publish(publisher)
    const lines = (await readLog(log.pool, 'clients', 0, 100)).map(event =>
      parseEventLine(JSON.stringify(event)),
    )
    expect(broker.messages.map(({ value }) => parseEventLine(value))).toEqual(lines)
    expect(broker.applied()).toHaveLength(60)
    expect(
      new Set(broker.messages.map(({ topic, partition }) => `${topic}:${partition}`)).size,
    ).toBeGreaterThan(3)
    expect(broker.messages.every(({ key, value }) => parseEventLine(value).subject === key)).toBe(true)
  })

  it('says that more may wait when a batch was full', async () => {
    const id = anId()
    await store.append(
      anAppend(
        store,
        id,
        0,
        Array.from({ length: 501 }, (_, n) => suspended(id, `${n}`)),
      ),
    )
    const publisher = aPublisher()
    expect([await publish(publisher), await publish(publisher)]).toEqual([true, false])
    expect(broker.applied()).toHaveLength(501)
  })

  it('saves its cursor after the acknowledgement, not before', async () => {
    await append(5)
    const during: number[] = []
    broker.meanwhile = async () => void during.push(await cursor())
    await publish(aPublisher())
    expect(during).toEqual([0])
    expect(await cursor()).toBe(10)
  })

  it('sends the next batch while the cursor is saved', async () => {
    await append(5)
    const publisher = aPublisher()
    await publish(publisher)
    const saving = await log.pool.connect()
    await saving.query('begin; lock table publisher in share mode')
    for (const sent of [20, 30]) {
      await append(5)
      void publisher.publish()
      await eventually(() => expect(broker.messages).toHaveLength(sent))
    }
    expect(await cursor()).toBe(10)
    await saving.query('rollback')
    saving.release()
    await eventually(async () => expect(await cursor()).toBe(30))
    await publish(publisher)
  })

  it.each(['before', 'after'] as const)(
    'sends again what failed %s it was stored, with the same bytes',
    async when => {
      await append(5)
      const publisher = aPublisher()
      await publish(publisher)
      await append(5)
      broker.fail = when
      await expect(publish(publisher)).rejects.toThrow()
      expect(await cursor()).toBe(10)
      await append(3) // the next batch is another one
      await publish(publisher)
      expect(await cursor()).toBe(26)
      expect(broker.applied()).toHaveLength(26)
      expect(new Set(broker.messages.map(message => JSON.stringify(message))).size).toBe(26)
      expect(broker.messages).toHaveLength(when === 'after' ? 36 : 26)
    },
  )

  it('that was killed between sending and saving leaves duplicates and no gap to the next', async () => {
    await append(5)
    const killed = aPublisher()
    await publish(killed)
    for (let round = 0; round < 4; round++) {
      await append(4)
      broker.fail = 'after'
      await expect(publish(aPublisher())).rejects.toThrow()
    }
    const next = aPublisher()
    await drain(next)
    expect(broker.applied()).toHaveLength(42)
    expect(new Set(broker.messages.map(message => JSON.stringify(message))).size).toBe(42)
    expect(broker.messages.length).toBeGreaterThan(42)
  })
})

describe('two publishers', () => {
  it('of which one does not know that it lost the lock: one saves, the other starts over, the chain holds', async () => {
    const [zombie, owner] = [aPublisher(), aPublisher()]
    await append(5)
    await publish(zombie)
    await publish(owner) // nothing to send: its cursor is where the zombie's is
    await append(5)
    broker.meanwhile = async () => {
      broker.meanwhile = async () => undefined
      await publish(owner) // while the zombie's batch is on its way
    }
    await expect(publish(zombie)).rejects.toThrow('Another instance has published further')
    expect(await cursor()).toBe(20)
    zombie.reset()
    await append(5)
    expect(await publish(zombie)).toBe(false)
    await publish(owner).catch(() => owner.reset()) // now it is the one that is behind
    await append(1)
    await drain(owner)
    expect(broker.applied()).toHaveLength(32)
    expect(await cursor()).toBe(32)
  })
})

describe('an event that a newer build has stored', () => {
  const newer = 'client.frozen.v1'

  it('passes through untouched, to the topic that the newer build has told', async () => {
    await append(1)
    await log.pool.query('update events set type = $1 where stream_version = 1', [newer])
    await log.pool.query(`insert into event_types values ($1, 'organizations')`, [newer])
    await append(1)
    await drain(aPublisher())
    const [first] = broker.messages
    expect(first).toMatchObject({ topic: 'organizations', previous: 0 })
    expect(parseEventLine(first?.value ?? '')).toMatchObject({
      type: newer,
      logseq: 1,
      data: { clientId: expect.any(String) },
    })
    expect(eventLine(parseEventLine(first?.value ?? ''))).toBe(first?.value)
    expect(broker.applied()).toHaveLength(4)
  })

  it('is not guessed about where nobody has told', async () => {
    await append(1)
    await log.pool.query('update events set type = $1 where stream_version = 1', [newer])
    await expect(publish(aPublisher())).rejects.toThrow(
      'The log holds client.frozen.v1, and no build has told which topic it belongs to',
    )
    expect(broker.messages).toEqual([])
  })
})

describe('heartbeats', () => {
  it('name the last event of each partition, once a second, and only when all was sent', async () => {
    const publisher = aPublisher()
    const now = new Date('2026-03-04T05:06:07.089Z')
    const later = new Date(now.getTime() + 999)
    await append(30)
    await publisher.beat(now)
    expect(broker.messages).toEqual([]) // it does not even know where it stands
    await publish(publisher)
    await append(1)
    await publisher.beat(now)
    const sent = broker.messages.splice(0)
    expect(sent).toHaveLength(60) // an event of before has not been sent
    await append(1)
    await publish(publisher)
    sent.push(...broker.messages.splice(0))
    await publisher.beat(later) // what it noted before is true by now, whatever came since
    await publisher.beat(later)

    const last = (partition: number) =>
      Math.max(
        0,
        ...sent
          .filter(message => message.topic === 'revocations' && message.partition === partition)
          .map(({ value }) => parseEventLine(value).logseq),
      )
    const beats = broker.messages.map(({ topic, partition, value }) => [topic, partition, JSON.parse(value)])
    expect(beats).toEqual(
      [0, 1, 2].map(partition => [
        'revocations',
        partition,
        expect.objectContaining({
          type: 'feed.heartbeat.v1',
          source: 'clients',
          data: { logSeq: last(partition), time: now.toISOString() },
        }),
      ]),
    )
    await publisher.beat(new Date(later.getTime() + 1000))
    expect(broker.messages).toHaveLength(6)
  })
})
