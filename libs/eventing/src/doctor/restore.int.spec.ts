import { eventLine, parseEventLine, type Service } from '@grantlog/contracts'
import { describeWithKafka, eventually, ownPostgres, testKafka } from '@grantlog/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { Connection } from '../connection.js'
import { EventStore } from '../event-store.js'
import { Eventing } from '../eventing.js'
import { lastSeqOf, readLog } from '../log.js'
import { createProjectionTable } from '../projection.js'
import { rebuildTopic } from '../rebuild-topic.js'
import { RestoredLog } from '../restored.js'
import { aLog, anAppend, anId, type LogDatabase, operator, revoked, suspended } from '../specs/a-log.js'
import { foldedRows, liveRows, suspensions } from '../specs/a-projection.js'
import { passTransactions, restore } from '../specs/a-restore.js'
import { createEventTables, dropEventTables } from '../tables.js'
import { KafkaTransport } from '../transport/kafka.js'
import type { KafkaOptions } from '../transport/kafka-client.js'
import { readTopic } from '../transport/kafka-read.js'
import { KafkaSink } from '../transport/kafka-sink.js'
import { applyTopics } from '../transport/kafka-topics.js'
import { examine, repair } from './doctor.js'

let cluster: { url: string; stop(): Promise<void> }
let log: LogDatabase
let restored: pg.Pool
let stores: EventStore[]

beforeAll(async () => {
  cluster = await ownPostgres()
})
afterAll(() => cluster?.stop())

beforeEach(async () => {
  log = await aLog('dumped')
  await passTransactions(log.pool, 3000) // it is older than the new cluster, whose counter begins anew
  restored = new pg.Pool({ connectionString: cluster.url, Client: Connection })
  restored.on('error', () => undefined) // the cluster stops before it
  await restored.query(createEventTables)
  stores = []
})
afterEach(async () => {
  await Promise.all(stores.map(store => store.close()))
  await restored.query(dropEventTables)
  await restored.end()
  await log.drop()
})

async function withDoctor<T>(
  work: (logs: ReadonlyMap<Service, pg.ClientBase>) => Promise<T>,
  pool = restored,
): Promise<T> {
  const client = await pool.connect()
  return work(new Map([['clients', client]])).finally(() => client.release())
}

const wrong = (kafka?: KafkaOptions) =>
  withDoctor(async logs =>
    (await examine(logs, kafka)).filter(({ ok }) => !ok).map(({ check, what }) => `${check}: ${what}`),
  )
const repairAll = (kafka?: KafkaOptions) => withDoctor(async logs => repair(logs, await examine(logs, kafka)))

async function append(pool: pg.Pool, count: number): Promise<void> {
  const store = new EventStore(pool)
  for (let n = 0; n < count; n++) await store.append(anAppend(store, anId(), 0))
  await store.close()
}

describe('a log that was restored into another cluster', () => {
  it('takes no event until somebody has said that it is the log from now on', async () => {
    await append(log.pool, 5)
    await restore(log.pool, restored)
    await expect(append(restored, 1)).rejects.toThrow(
      /restored from another Postgres cluster.*doctor --repair/,
    )
    expect(await lastSeqOf(restored)).toBe(5)
    expect(await wrong()).toEqual([
      expect.stringMatching(/^cluster: the log was restored from another cluster: .* next one is \d+/),
    ])
  })

  it('takes none of a process that was there before, either, once its connection has ended', async () => {
    let writer: pg.PoolClient | undefined
    restored.on('acquire', client => {
      writer = client
    })
    const store = new EventStore(restored)
    stores.push(store)
    await store.append(anAppend(store, anId(), 0))
    restored.removeAllListeners('acquire')
    await append(log.pool, 5)
    await restore(log.pool, restored)
    const beforeItEnds = store.append(anAppend(store, anId(), 0))
    writer?.emit('error', new Error('Connection terminated unexpectedly'))
    await expect(beforeItEnds).rejects.toThrow(RestoredLog)
    await expect(store.append(anAppend(store, anId(), 0))).rejects.toThrow(RestoredLog)
  })

  it('is repaired: it goes on where it was, and no event is changed', async () => {
    await append(log.pool, 24)
    await restore(log.pool, restored)
    const rows = async () =>
      (await restored.query<{ row: string }>('select e::text as row from events e order by log_seq')).rows
    const before = await rows()

    expect(await repairAll()).toEqual(['clients: its log is one of this cluster now.'])
    expect(await rows()).toEqual(before)
    expect(await wrong()).toEqual([])
    expect(await repairAll()).toEqual([])

    for (let n = 0; n < 10; n++) {
      await append(restored, 2)
      await passTransactions(restored, 500) // through all of the old ids
    }
    expect(await wrong()).toEqual([])
    const events = await readLog(restored, 'clients', 0, 1000)
    expect(events.map(({ logseq }) => logseq)).toEqual(Array.from({ length: 44 }, (_, n) => n + 1))
  })
})

describeWithKafka('a restored log and the topics that it was published to', () => {
  let kafka: KafkaOptions
  let reading: LogDatabase
  let running: Eventing[]

  beforeEach(async () => {
    kafka = { clientId: 'spec', ...(await testKafka()) }
    await applyTopics(kafka)
    reading = await aLog('reading')
    await reading.pool.query(createProjectionTable(suspensions()))
    running = []
  })
  afterEach(async () => {
    await stopAll()
    await reading.drop()
  })

  async function stopAll(): Promise<void> {
    await Promise.all(running.splice(0).map(eventing => eventing.stop()))
  }

  function run(pool: pg.Pool, service?: Service): Eventing {
    const eventing = new Eventing({
      pool,
      service,
      projections: service ? [] : [suspensions()],
      remote: new KafkaTransport(kafka),
      sink: service && new KafkaSink(kafka),
      report: () => undefined,
      now: () => new Date(),
    })
    eventing.start()
    running.push(eventing)
    return eventing
  }

  async function say({ store }: Eventing, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const id = anId()
      const events = store.prepare([suspended(id), revoked(id)], { actor: operator, time: new Date() })
      await store.append({ streamId: `client-${id}`, base: 0, events, state: {}, stateTag: 'spec' })
    }
  }

  const inStep = (pool: pg.Pool, count: number) =>
    eventually(async () => {
      const events = await readLog(pool, 'clients', 0, 1000)
      expect(events).toHaveLength(count)
      expect(await liveRows(reading.pool)).toEqual(foldedRows(events))
    })

  it('go on together: consumers see no gap and nothing twice', async () => {
    const clients = run(log.another(), 'clients')
    const reader = run(reading.another())
    await say(clients, 20)
    await inStep(log.pool, 40)
    await clients.stop()
    running.splice(running.indexOf(clients), 1)
    await append(log.pool, 3) // stored, not published
    await restore(log.pool, restored)

    expect(await wrong(kafka)).toEqual([expect.stringMatching(/^cluster: /)])
    expect(await repairAll(kafka)).toEqual(['clients: its log is one of this cluster now.'])
    const again = run(restored, 'clients')
    await say(again, 5)
    await inStep(restored, 53)
    expect(reader.status()).toMatchObject([{ trouble: undefined }])
    await eventually(async () => expect(await wrong(kafka)).toEqual([]))
    const lines = new Set<string>()
    await readTopic(kafka, 'clients', async records => {
      for (const { value } of records) lines.add(value)
    })
    const stored = (await readLog(restored, 'clients', 0, 100)).filter(({ type }) =>
      type.startsWith('client.'),
    )
    expect([...lines].sort()).toEqual(stored.map(eventLine).sort())
    expect(parseEventLine([...lines][0] ?? '').source).toBe('clients')
  })

  it('that hold more than a dump that is older are found, and nothing is appended over them', async () => {
    const clients = run(log.another(), 'clients')
    run(reading.another())
    await say(clients, 10)
    await inStep(log.pool, 20)
    await restore(log.pool, restored)
    await say(clients, 5) // after the dump
    await inStep(log.pool, 30)
    await stopAll()

    const found = await wrong(kafka)
    expect(found).toEqual([
      expect.stringMatching(/^cluster: /),
      expect.stringMatching(/^log-is-older: grantlog.clients.v1 holds 5 events that the log does not/),
      expect.stringMatching(/^log-is-older: grantlog.revocations.v1 holds 5 events that the log does not/),
    ])
    expect(await repairAll(kafka)).toEqual([
      'clients: not repaired, because its log is older than what others have read of it.',
    ])
    expect(await readLog(restored, 'clients', 0, 100)).toHaveLength(20)

    // without Kafka, the reader’s checkpoints tell
    const reader = await reading.pool.connect()
    const own = await restored.connect()
    const findings = await examine(
      new Map<Service, pg.ClientBase>([
        ['clients', own],
        ['token', reader],
      ]),
    )
    for (const client of [own, reader]) client.release()
    expect(findings.filter(({ check }) => check === 'log-is-older')).toEqual([
      expect.objectContaining({
        service: 'clients',
        what: expect.stringMatching(
          /^the log ends at 20, but token\.suspensions\.v1 of token has applied 30$/,
        ),
        todo: expect.stringContaining('Keep clients stopped'),
      }),
    ])
  })

  it('go on after a loss that was accepted: the topics as the log now is, and readers from the beginning', async () => {
    const clients = run(log.another(), 'clients')
    run(reading.another())
    await say(clients, 10)
    await inStep(log.pool, 20)
    await restore(log.pool, restored)
    await say(clients, 5) // after the dump: these are lost
    await inStep(log.pool, 30)
    await stopAll()

    for (const topic of ['clients', 'revocations'] as const) {
      const own = await restored.connect()
      const others = await Promise.all(['consent', 'token'].map(() => aLog('other')))
      const connections = await Promise.all(others.map(({ pool }) => pool.connect()))
      const [consent, token] = connections
      if (consent === undefined || token === undefined) throw new Error('No connection')
      const writers = new Map<Service, pg.ClientBase>([
        ['clients', own],
        ['consent', consent],
        ['token', token],
      ])
      await rebuildTopic(topic, writers, kafka)
      for (const client of [own, ...connections]) client.release(true)
      for (const other of others) await other.drop()
    }
    await reading.pool.query('delete from checkpoints; delete from suspensions')
    expect(await repairAll(kafka)).toEqual(['clients: its log is one of this cluster now.'])
    const [again, reader] = [run(restored, 'clients'), run(reading.another())]
    await say(again, 8)
    await inStep(restored, 36)
    expect(reader.status()).toMatchObject([{ trouble: undefined }])
    await eventually(async () => expect(await wrong(kafka)).toEqual([]))
  })
})
