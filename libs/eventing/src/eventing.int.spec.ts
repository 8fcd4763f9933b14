import { describeWithKafka, eventually, testKafka } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { NewEvent } from './decider.js'
import { Eventing, type EventingOptions } from './eventing.js'
import { readLog } from './log.js'
import { ProjectionServer } from './nest/projection-server.js'
import { createProjectionTable, type Projection } from './projection.js'
import { aLog, anId, type LogDatabase, operator, revoked, suspended } from './specs/a-log.js'
import { foldedRows, liveRows, suspensions } from './specs/a-projection.js'
import { Reader } from './specs/a-source.js'
import { EmbeddedTransport } from './transport/embedded.js'
import { KafkaTransport } from './transport/kafka.js'
import { KafkaSink } from './transport/kafka-sink.js'
import { applyTopics } from './transport/kafka-topics.js'
import type { Transport } from './transport/transport.js'

let clients: LogDatabase
let token: LogDatabase
let running: Eventing[]

beforeEach(async () => {
  ;[clients, token] = [await aLog('clients'), await aLog('token')]
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(eventing => eventing.stop()))
  await Promise.all([clients, token].map(log => log?.drop()))
})

/** A service, not yet started. */
function aService(own: LogDatabase, options: Partial<EventingOptions> & Pick<EventingOptions, 'service'>) {
  const eventing = new Eventing({
    pool: own.another(),
    projections: [],
    remote: new EmbeddedTransport(
      options.service === 'clients' ? { token: token.url } : { clients: clients.url },
    ),
    report: () => undefined,
    now: () => new Date(),
    ...options,
  })
  running.push(eventing)
  return eventing
}

async function append({ store }: Eventing, ...facts: NewEvent[]): Promise<number> {
  let last = 0
  for (const fact of facts) {
    const streamId = `one-${anId()}`
    const events = store.prepare([fact], { actor: operator, time: new Date() })
    const outcome = await store.append({ streamId, base: 0, events, state: {}, stateTag: 'spec' })
    if (outcome !== 'conflict') last = outcome.logSeq
  }
  return last
}

describe('a service', () => {
  it('keeps a read model of another service’s events, and stops with the application', async () => {
    await token.pool.query(createProjectionTable(suspensions()))
    const writer = aService(clients, { service: 'clients' })
    const reader = aService(token, { service: 'token', projections: [suspensions()] })
    writer.start()
    const server = new ProjectionServer(reader)
    await new Promise<void>(resolve => server.listen(resolve))
    await append(writer, suspended('a'), suspended('b'), revoked('c'))
    const expected = async () => foldedRows(await readLog(clients.pool, 'clients', 0, 100))
    await eventually(async () => {
      expect(await liveRows(token.pool)).toHaveLength(3)
      expect(await liveRows(token.pool)).toEqual(await expected())
    })
    await eventually(() => expect(reader.health()).toEqual({ ok: true, detail: 'up to date' }))
    expect(reader.status()).toEqual([
      {
        name: 'token.suspensions.v1',
        security: true,
        owner: true,
        caughtUp: true,
        waiting: new Map(['clients', 'token'].map(source => [source, 0])),
        lagSeconds: 0,
        applied: { batches: expect.any(Number), events: 3 },
        trouble: undefined,
      },
    ])

    await server.close()
    running.splice(running.indexOf(reader), 1)
    await append(writer, suspended('d'))
    expect(await liveRows(token.pool)).toHaveLength(3)
    await eventually(async () => expect(await connectionsTo(token)).toBe(0))
    // and begins where it ended
    const again = aService(token, { service: 'token', projections: [suspensions()] })
    again.start()
    await eventually(async () => expect(await liveRows(token.pool)).toEqual(await expected()))
    expect(await liveRows(token.pool)).toHaveLength(4)
  })

  it('stops before anything has begun', async () => {
    await token.pool.query(createProjectionTable(suspensions()))
    const eventing = aService(token, { service: 'token', projections: [suspensions()] })
    eventing.start()
    await eventing.stop()
    running = []
    await eventually(async () => expect(await connectionsTo(token)).toBe(0))
  })

  it('reads its own events, and waits for what it has just written', async () => {
    await clients.pool.query(createProjectionTable(suspensions()))
    const eventing = aService(clients, { service: 'clients', projections: [suspensions()] })
    eventing.start()
    for (let n = 0; n < 5; n++) {
      const streamId = `client-${n}`
      const events = eventing.store.prepare([suspended(`${n}`)], { actor: operator, time: new Date() })
      const outcome = await eventing.store.append({ streamId, base: 0, events, state: {}, stateTag: 'spec' })
      if (outcome === 'conflict') throw new Error('Nobody else writes here')
      const appended = { streamId, events: [{ type: 'client.suspended', id: events[0]?.id ?? '' }] } as const
      await eventually(async () => expect(await eventing.applied(suspensions(), appended)).toBe(true))
      expect(await liveRows(clients.pool)).toHaveLength(n + 1)
    }
    await expect(eventing.applied({ name: 'unknown' }, { streamId: 'client-0', events: [] })).rejects.toThrow(
      'This service runs no projection unknown',
    )
  })

  it('follows its own and the others’ events', async () => {
    const both = [aService(clients, { service: 'clients' }), aService(token, { service: 'token' })] as const
    for (const eventing of both) eventing.start()
    const followers = await Promise.all(
      both.map(async eventing => {
        const reader = new Reader(['revocations'], () => ({ at: new Date(0) }))
        return { reader, following: await eventing.follow(reader) }
      }),
    )
    for (const eventing of both) await append(eventing, revoked(anId()), suspended(anId()))
    const sources = (reader: Reader) =>
      reader.delivered.flatMap(({ events }) => events.map(({ event }) => event.source)).sort()
    await eventually(() => {
      for (const { reader } of followers) expect(sources(reader)).toEqual(['clients', 'token'])
    })
    for (const { following } of followers) await following.stop()
  })
})

describe('health', () => {
  async function withPoison(security: boolean) {
    await token.pool.query(createProjectionTable(suspensions()))
    const state = { poisoned: true }
    const writer = aService(clients, { service: 'clients' })
    const projection = suspensions({ security, poisoned: () => state.poisoned })
    const reader = aService(token, { service: 'token', projections: [projection] })
    for (const eventing of [writer, reader]) eventing.start()
    await append(writer, suspended('a', 'poison'), suspended('b'))
    return { reader, state }
  }

  it('tells of a security projection that an event stops, until it goes on', async () => {
    const { reader, state } = await withPoison(true)
    await eventually(() =>
      expect(reader.health()).toEqual({
        ok: false,
        detail: expect.stringMatching(
          /^token\.suspensions\.v1: .*clients 1 client\.suspended: .*can not digest/,
        ),
      }),
    )
    state.poisoned = false
    await eventually(() => expect(reader.health()).toEqual({ ok: true, detail: 'up to date' }))
  })

  it('does not suffer from another projection’s event: its key is parked', async () => {
    const { reader } = await withPoison(false)
    await eventually(async () => expect(await liveRows(token.pool)).toHaveLength(1))
    expect(reader.health()).toEqual({ ok: true, detail: 'up to date' })
  })

  it('tells of a security projection that has not yet held all there was, also after a restart', async () => {
    await token.pool.query(createProjectionTable(suspensions()))
    const start = (remote: Transport) => {
      const reader = aService(token, { service: 'token', projections: [suspensions()], remote })
      reader.start()
      return reader
    }
    const silent = {
      subscribe: async () => ({ places: ['clients'], stop: async () => undefined }),
      close: async () => undefined,
    }
    const before = start(silent)
    await eventually(() => expect(before.status()[0]?.owner).toBe(true))
    expect(before.health()).toEqual({ ok: false, detail: expect.stringMatching(/has not caught up/) })
    await before.stop()
    running.splice(running.indexOf(before), 1)

    const after = start(new EmbeddedTransport({ clients: clients.url }))
    await eventually(() => expect(after.health().ok).toBe(true))
    await after.stop()
    running.splice(running.indexOf(after), 1)
    // what it held once, it serves: also while the others are away
    const later = start(silent)
    await eventually(() => expect(later.health().ok).toBe(true))
  })

  it('of the log tells that it can not be published; events are still stored', async () => {
    let away = true
    const sink = {
      send: async () => {
        if (away) throw new Error('The broker is away')
      },
      close: async () => undefined,
    }
    const writer = aService(clients, { service: 'clients', sink })
    writer.start()
    await append(writer, suspended('a'))
    await eventually(() =>
      expect(writer.logHealth()).toEqual({ ok: false, detail: 'Error: The broker is away' }),
    )
    await append(writer, suspended('b'))
    away = false
    await eventually(() => expect(writer.logHealth()).toEqual({ ok: true, detail: 'published up to 2' }))
  })

  it('of a log says that another instance owns it, and of a reader that it has none', async () => {
    const [first, second] = [
      aService(clients, { service: 'clients' }),
      aService(clients, { service: 'clients' }),
    ]
    first.start()
    await eventually(() => expect(first.logHealth().detail).toBe('owns the log'))
    second.start()
    expect(second.logHealth()).toEqual({ ok: true, detail: 'another instance owns the log' })
    const audit = aService(token, { service: undefined })
    expect(audit.logHealth()).toEqual({ ok: true, detail: 'no log' })
  })
})

describeWithKafka('on Kafka', () => {
  it('a service follows, and keeps a read model of, its own and the others’ events', async () => {
    const kafka = { clientId: 'spec', ...(await testKafka()) }
    await applyTopics(kafka)
    await token.pool.query(createProjectionTable(suspensions()))
    const on = (own: LogDatabase, service: 'clients' | 'token', projections: Projection[] = []) => {
      const [remote, sink] = [new KafkaTransport(kafka), new KafkaSink(kafka)]
      return aService(own, { service, remote, sink, projections })
    }
    const both = [on(clients, 'clients'), on(token, 'token', [suspensions()])] as const
    for (const eventing of both) eventing.start()
    const reader = new Reader(['revocations'], () => ({ at: new Date(0) }))
    const following = await both[1].follow(reader)
    for (let n = 0; n < 20; n++)
      for (const eventing of both) await append(eventing, revoked(anId()), revoked(anId()))
    const ids = () => reader.delivered.flatMap(({ events }) => events.map(({ event }) => event.id))
    await eventually(() => expect(new Set(ids()).size).toBe(80))
    await eventually(async () => {
      const logs = [
        await readLog(clients.pool, 'clients', 0, 100),
        await readLog(token.pool, 'token', 0, 100),
      ]
      expect(await liveRows(token.pool)).toEqual(logs.flatMap(foldedRows).sort())
    })
    expect(await liveRows(token.pool)).toHaveLength(80)
    await eventually(() => expect(both[1].health()).toEqual({ ok: true, detail: 'up to date' }))
    await following.stop()
  })
})

async function connectionsTo(log: LogDatabase): Promise<number> {
  const { rows } = await log.pool.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
     and query ~ '(pg_try_advisory_lock|listen|LISTEN)'`,
  )
  return rows[0]?.count ?? -1
}
