import { type Envelope, eventLine, parseEventLine, type Service, topics } from '@grantlog/contracts'
import { describeWithKafka, eventually, testKafka } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import kafkajs, { type Admin } from 'kafkajs'
import pg from 'pg'
import type { NewEvent } from './decider.js'
import { EventStore } from './event-store.js'
import { Eventing } from './eventing.js'
import { readLog } from './log.js'
import { createProjectionTable } from './projection.js'
import { Publisher } from './publisher.js'
import { type RebuildProgress, rebuildTopic } from './rebuild-topic.js'
import { aLog, anAppend, anId, type LogDatabase, operator, revoked, suspended } from './specs/a-log.js'
import { foldedRows, liveRows, suspensions } from './specs/a-projection.js'
import { KafkaTransport } from './transport/kafka.js'
import type { KafkaOptions } from './transport/kafka-client.js'
import { readTopic } from './transport/kafka-read.js'
import { KafkaSink } from './transport/kafka-sink.js'
import { applyTopics } from './transport/kafka-topics.js'

const writers = topics.revocations.writers

describe('a publisher that is asked to hold', () => {
  let log: LogDatabase
  beforeEach(async () => {
    log = await aLog('hold')
  })
  afterEach(() => log.drop())

  it('lets the sends in flight settle, and sends nothing, heartbeats included, until whoever asked is gone', async () => {
    const store = new EventStore(log.pool)
    const append = async () => {
      await store.append(anAppend(store, anId(), 0, [revoked(anId())]))
    }
    const asker = new pg.Client({ connectionString: log.url })
    asker.on('error', () => undefined) // its session ends with the database, where something fails before
    await asker.connect()
    await asker.query(`select pg_advisory_lock(hashtextextended('topics rebuild', 0))`)
    const sent: { key: string; hold: string | undefined }[] = []
    const hold = async () =>
      (await log.pool.query<{ hold: string }>('select hold from publisher')).rows[0]?.hold
    const events = () => sent.filter(({ key }) => key !== '')
    const publisher = new Publisher(log.pool, 'clients', {
      async send(messages) {
        if (sent.length === 0) await asker.query(`update publisher set hold = 'asked'`) // while it is on its way
        for (const { key } of messages) sent.push({ key, hold: await hold() })
      },
      close: async () => undefined,
    })
    await append()
    await publisher.publish()
    await eventually(async () => {
      await publisher.publish()
      expect(await hold()).toBe('held')
    })
    await append()
    for (let n = 0; n < 3; n++) {
      await publisher.publish()
      await publisher.beat(new Date())
    }
    expect(events()).toHaveLength(1)
    expect(sent.filter(({ hold }) => hold !== 'asked')).toEqual([])
    expect(await hold()).toBe('held')

    await asker.end()
    await eventually(async () => {
      await publisher.publish()
      expect(events()).toHaveLength(2)
    })
    expect(await hold()).toBe('none')
    await store.close()
  })
})

describeWithKafka('the rebuild of a topic', () => {
  let kafka: KafkaOptions
  let admin: Admin
  let logs: Record<Service, LogDatabase>
  let reading: LogDatabase
  let running: Eventing[]
  let follower: { seen: Set<string>; troubles: string[]; heard: Map<Service, Date> }

  beforeEach(async () => {
    kafka = { clientId: 'spec', ...(await testKafka()) }
    await applyTopics(kafka)
    admin = new kafkajs.Kafka({ clientId: 'spec', brokers: [...kafka.brokers], logLevel: 0 }).admin()
    await admin.connect()
    logs = { clients: await aLog('clients'), consent: await aLog('consent'), token: await aLog('token') }
    reading = await aLog('reading')
    await reading.pool.query(createProjectionTable(suspensions()))
    running = []
  })
  afterEach(async () => {
    await Promise.all(running.map(eventing => eventing.stop()))
    await admin.disconnect()
    await Promise.all([...Object.values(logs), reading].map(log => log.drop()))
  })

  /** A service, running: one that writes, or the one that keeps a read model. */
  function run(service?: Service): Eventing {
    const eventing = new Eventing({
      pool: (service ? logs[service] : reading).another(),
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

  /** As an API without a database follows the revocations. */
  async function follow(eventing: Eventing): Promise<void> {
    follower = { seen: new Set(), troubles: [], heard: new Map() }
    await eventing.follow({
      name: 'follower',
      topics: ['revocations'],
      begin: () => ({ at: new Date(Date.now() - 3_600_000) }),
      deliver: async ({ events }) => {
        for (const { event } of events) follower.seen.add(event.id)
      },
      alive: (source, time) => void follower.heard.set(source, time),
      trouble: error => void follower.troubles.push(String(error)),
    })
  }

  async function append({ store }: Eventing, ...facts: NewEvent[]): Promise<void> {
    await Promise.all(
      facts.map(fact =>
        store.append({
          streamId: `one-${anId()}`,
          base: 0,
          events: store.prepare([fact], { actor: operator, time: new Date() }),
          state: {},
          stateTag: 'spec',
        }),
      ),
    )
  }

  /** @param progress may cut the connection to a writer */
  async function rebuild(
    progress?: (progress: RebuildProgress, cut: (...services: Service[]) => void) => void,
  ): Promise<number> {
    const clients = writers.map(service => new pg.Client({ connectionString: logs[service].url }))
    for (const client of clients) {
      client.on('error', () => undefined) // a spec ends them on purpose
      await client.connect()
    }
    const connections = new Map(writers.map((service, index) => [service, clients[index] as pg.Client]))
    const cut = (...services: Service[]) => {
      for (const service of services) void connections.get(service)?.end()
    }
    return rebuildTopic('revocations', connections, kafka, at => progress?.(at, cut)).finally(() =>
      Promise.allSettled(clients.map(client => client.end())),
    )
  }

  const logOf = (service: Service) => readLog(logs[service].pool, service, 0, 100_000)
  const revocations = (events: readonly Envelope[]) =>
    events.filter(({ type }) => type === 'token.revoked.v1')

  /** The topic as one reads it from its beginning: per source and partition, each event once; the chain must hold from 0. */
  async function topicNow(): Promise<{ lines: string[]; records: number }> {
    const last = new Map<string, number>()
    const lines: string[] = []
    let records = 0
    await readTopic(kafka, 'revocations', async batch => {
      for (const { partition, value, previous } of batch) {
        if (value.includes('feed.heartbeat')) continue
        records += 1
        const { source, logseq } = parseEventLine(value)
        const place = `${source}:${partition}`
        const known = last.get(place) ?? 0
        if (logseq <= known) continue
        if (previous !== known) throw new Error(`${place}: ${logseq} follows ${previous}, not ${known}`)
        last.set(place, logseq)
        lines.push(value)
      }
    })
    return { lines: lines.sort(), records }
  }

  async function stored(): Promise<string[]> {
    const all = await Promise.all(
      writers.map(async service => revocations(await logOf(service)).map(eventLine)),
    )
    return all.flat().sort()
  }

  async function everythingIsRight(): Promise<void> {
    await eventually(async () => {
      expect((await topicNow()).lines).toEqual(await stored())
      expect(await liveRows(reading.pool)).toEqual(foldedRows((await Promise.all(writers.map(logOf))).flat()))
    })
  }

  const some = (count: number) => Array.from({ length: count }, () => revoked(anId()))

  it('gives what the stores hold, byte for byte, while three services append and others read; no event counts twice', async () => {
    const [clients, consent, token] = [run('clients'), run('consent'), run('token')]
    const reader = run()
    await follow(reader)
    await append(clients, ...some(700), suspended('a'))
    for (const service of [consent, token]) await append(service, ...some(20))
    await everythingIsRight()

    follower.troubles.length = 0 // a broker that has just started says so
    let writing = true
    const load = (async () => {
      while (writing) for (const service of [clients, consent, token]) await append(service, ...some(2))
    })()
    expect(await rebuild()).toBeGreaterThanOrEqual(740)
    writing = false
    await load
    await everythingIsRight()
    expect(reader.status()).toMatchObject([{ trouble: undefined }])

    const { lines } = await topicNow()
    await eventually(() => expect(follower.seen.size).toBe(lines.length))
    const since = Date.now()
    await eventually(() => {
      for (const service of writers) expect(follower.heard.get(service)?.getTime()).toBeGreaterThan(since)
    })
    expect(follower.troubles).toEqual([])
    // what stood there before is gone: the topic does not hold everything twice
    expect((await admin.fetchTopicOffsets(nameNow())).every(({ low }) => Number(low) > 0)).toBe(true)
  })

  it('mends a topic that lost a record, and needs no process of a writer', async () => {
    const clients = run('clients')
    const reader = run()
    await follow(reader)
    await append(clients, ...some(30))
    const consent = run('consent')
    await append(consent, ...some(5))
    await everythingIsRight()
    await consent.stop()
    running.splice(running.indexOf(consent), 1)

    // an operator deletes the topic, and copies back what he had kept of it: all but one record
    const kept: { partition: number; value: string; previous: number }[] = []
    await readTopic(kafka, 'revocations', async batch => void kept.push(...batch))
    const events = kept.filter(({ value }) => !value.includes('feed.heartbeat'))
    await clients.stop()
    running.splice(running.indexOf(clients), 1)
    await admin.deleteTopics({ topics: [nameNow()] })
    await eventually(async () => expect(await admin.listTopics()).not.toContain(nameNow()))
    await applyTopics(kafka)
    const producer = new kafkajs.Kafka({
      clientId: 'spec',
      brokers: [...kafka.brokers],
      logLevel: 0,
    }).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    // not the last of its source in its partition, which nothing follows
    const placeOf = ({ partition, value }: (typeof events)[number]) =>
      `${partition} ${parseEventLine(value).source}`
    const lost = events.find((event, index) =>
      events.slice(index + 1).some(later => placeOf(later) === placeOf(event)),
    )
    await producer.send({
      topic: nameNow(),
      messages: events
        .filter(event => event !== lost)
        .map(({ partition, value, previous }) => ({
          partition,
          key: parseEventLine(value).subject,
          value,
          headers: { previous: String(previous) },
        })),
    })
    await producer.disconnect()
    expect(lost).toBeDefined()
    await expect(topicNow()).rejects.toThrow(/follows/)

    const again = run('clients')
    expect(await rebuild()).toBe(35)
    await append(again, ...some(3))
    await everythingIsRight()
    expect((await topicNow()).lines).toHaveLength(38)
  })

  it('creates a topic that was deleted, and the live publishers and readers recover', async () => {
    const [clients, reader] = [run('clients'), run()]
    await append(clients, ...some(10))
    await everythingIsRight()
    await admin.deleteTopics({ topics: [nameNow()] })
    await append(clients, ...some(10))
    expect(await rebuild()).toBeGreaterThanOrEqual(10)
    await append(clients, ...some(10))
    await everythingIsRight()
    await eventually(() => expect(reader.status()).toMatchObject([{ trouble: undefined }]))
    await eventually(() => expect(clients.logHealth().ok).toBe(true))
  })

  it('that is killed in the middle has harmed nobody; the writers go on by themselves, and another one finishes it', async () => {
    const [clients, reader] = [run('clients'), run()]
    await append(clients, ...some(1200))
    await everythingIsRight()
    const hold = async () =>
      (await logs.clients.pool.query<{ hold: string }>('select hold from publisher')).rows[0]?.hold
    const killed = rebuild(({ logSeq }, cut) => {
      if (logSeq === 1000) cut(...writers)
    })
    await expect(killed).rejects.toThrow()
    expect(await hold()).not.toBe('asked')
    await append(clients, ...some(10))
    await eventually(async () => expect(await hold()).toBe('none'))
    await everythingIsRight()
    expect((await topicNow()).records).toBeGreaterThan(1210) // what the killed one sent stands there too

    expect(await rebuild()).toBe(1210)
    await everythingIsRight()
    expect((await topicNow()).records).toBe(1210)
    expect(reader.status()).toMatchObject([{ trouble: undefined }])
  })

  it('whose connection to a writer is cut leaves the topic as it is', async () => {
    const [clients] = [run('clients'), run()]
    await append(clients, ...some(1200))
    await everythingIsRight()
    await expect(rebuild((_, cut) => cut('clients'))).rejects.toThrow()
    await append(clients, ...some(10))
    await everythingIsRight()
  })

  it('refuses a topic with another number of partitions', async () => {
    await admin.deleteTopics({ topics: [nameNow()] })
    await eventually(async () => {
      await admin.createTopics({ topics: [{ topic: nameNow(), numPartitions: 1 }] }) // not while the one before is still there
      const { topics } = await admin.fetchTopicMetadata({ topics: [nameNow()] })
      expect(topics[0]?.partitions).toHaveLength(1)
    })
    await expect(rebuild()).rejects.toThrow(/has 1 partitions instead of 3/)
  })

  it('is one at a time', async () => {
    const clients = run('clients')
    await append(clients, ...some(600))
    await eventually(async () => expect((await topicNow()).lines).toHaveLength(600))
    const other = await logs.consent.pool.connect()
    await other.query(`select pg_advisory_lock(hashtextextended('topics rebuild', 0))`)
    await expect(rebuild()).rejects.toThrow(/Another rebuild of a topic of consent is at work/)
    other.release(true)
    await append(clients, ...some(1)) // clients was asked already, and goes on
    await eventually(async () => expect((await topicNow()).lines).toHaveLength(601))
    expect(await rebuild()).toBe(601)
  })

  const nameNow = () => `${kafka.topicPrefix}${topics.revocations.name}`
})
