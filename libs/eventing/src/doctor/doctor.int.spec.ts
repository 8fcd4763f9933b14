import type { Service } from '@grantlog/contracts'
import { describeWithKafka, eventually, ownPostgres, testKafka } from '@grantlog/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { Commands } from '../commands.js'
import type { Decider } from '../decider.js'
import { EventStore } from '../event-store.js'
import { Locks } from '../locks.js'
import { type EventSink, Publisher } from '../publisher.js'
import { rebuildTopic } from '../rebuild-topic.js'
import { aLog, anAppend, anId, type LogDatabase, operator, suspended } from '../specs/a-log.js'
import type { KafkaOptions } from '../transport/kafka-client.js'
import { readTopic, type TopicRecord } from '../transport/kafka-read.js'
import { KafkaSink } from '../transport/kafka-sink.js'
import { applyTopics } from '../transport/kafka-topics.js'
import { examine, repair } from './doctor.js'
import type { Finding } from './finding.js'
import { foldedStates } from './folded-states.js'
import { idleSessions } from './transactions.js'

let postgres: Awaited<ReturnType<typeof ownPostgres>>
let log: LogDatabase

beforeAll(async () => {
  postgres = await ownPostgres({ max_prepared_transactions: 1 })
})
afterAll(() => postgres?.stop())
beforeEach(async () => {
  log = await aLog('doctor', { cluster: postgres })
})
afterEach(() => log?.drop())

/** Appends events of streams of their own, a minute ago. */
async function append(count: number): Promise<void> {
  const store = new EventStore(log.pool)
  const time = new Date(Date.now() - 60_000)
  for (let n = 0; n < count; n++) {
    const id = anId()
    await store.append(anAppend(store, id, 0, [suspended(id), suspended(id)], time))
  }
  await store.close()
}

async function examined(kafka?: KafkaOptions): Promise<Finding[]> {
  const client = await log.pool.connect()
  return examine(new Map([['clients', client]]), kafka).finally(() => client.release())
}

const wrong = async (kafka?: KafkaOptions) => (await examined(kafka)).filter(({ ok }) => !ok)
const said = (findings: readonly Finding[]) => findings.map(({ check, what }) => `${check}: ${what}`)

async function publish(
  sink: EventSink = { send: async () => undefined, close: async () => undefined },
): Promise<void> {
  const publisher = new Publisher(log.pool, 'clients', sink)
  await publisher.publish()
  await publisher.settled()
}

describe('the doctor', () => {
  it('finds nothing wrong with an empty log, nor with one in use, and says what it looked at', async () => {
    expect(await wrong()).toEqual([])
    await append(5)
    await publish()
    const findings = await examined()
    expect(findings.filter(({ ok }) => !ok)).toEqual([])
    expect(new Set(findings.map(({ check }) => check)).size).toBe(8)
    for (const { severity, todo } of findings)
      expect({ severity, todo }).toEqual({ severity: 'info', todo: '' })
    expect(said(findings)).toContain('log: the log runs from 1 to 10 without a gap')
    expect(said(findings)).toContain('publisher: published up to 10 of 10, and each partition’s end is known')
  })

  it.each([
    [
      'an event that is gone',
      'delete from events where log_seq = 3',
      [
        /^log: the log has 9 events, but they run from 1 to 10$/,
        /^streams: the stream client-\S+ has 1 events, versions 2 to 2$/,
      ],
    ],
    [
      'numbers that were given in another order than the versions’',
      `update events set log_seq = -log_seq where log_seq in (1, 2); update events set log_seq = 3 + log_seq where log_seq < 0`,
      [/^log: the stream client-\S+ is not numbered in the order of its versions$/],
    ],
    [
      'an end that is behind the log',
      'update log_end set last_seq = 9',
      [
        /^log: the log ends at 10, but its last number is 9$/,
        /^log-is-older: its publisher has sent up to 10, but the log ends at 9$/,
      ],
    ],
    [
      'a stream whose row does not agree',
      `update streams set version = 7 where stream_id = (select min(stream_id) from streams)`,
      [/^streams: the stream client-\S+ is at version 2, but its row says 7$/],
    ],
    [
      'a publisher beyond its log',
      'update publisher set cursor = 11',
      [/^log-is-older: its publisher has sent up to 11, but the log ends at 10$/],
    ],
    [
      'a publisher that does not know what it sent last',
      'update published set log_seq = 1 where log_seq = (select max(log_seq) from published)',
      [/^publisher: it does not know what it published last: clients\[\d+\] ends at 10, not at 1$/],
    ],
    [
      'a read model that stands still, and one that parked events',
      `insert into projections (name, read_model, security, trouble) values ('a.b.v1', 'b', true, 'Out of order'), ('a.c.v1', 'c', false, null);
       insert into parked (projection, key, event, error) values ('a.c.v1', 'k', '{}', 'No'), ('a.c.v1', 'k', '{}', null)`,
      [
        /^read-models: a\.b\.v1 stands still: Out of order$/,
        /^read-models: a\.c\.v1 has parked 2 events of 1 keys/,
      ],
    ],
    [
      'a read model that is further than its source',
      `insert into checkpoints (projection, topic, partition, positions) values ('a.b.v1', 'clients', 0, '{"clients": 12}')`,
      [/^log-is-older: the log ends at 10, but a\.b\.v1 of clients has applied 12$/],
    ],
  ])('finds %s, and says what to do', async (_, damage, expected) => {
    await append(5)
    await publish()
    await log.pool.query(damage)
    const found = await wrong()
    expect(said(found)).toHaveLength(expected.length)
    for (const [index, pattern] of expected.entries()) expect(said(found)[index]).toMatch(pattern)
    for (const { todo } of found) expect(todo).not.toBe('')
  })

  it('reads the numbers of a log that has come further than 32 bits', async () => {
    await log.pool.query(`
      update log_end set last_seq = 3e9, detached_up_to = 3e9; update publisher set cursor = 3e9;
      update segments set first_seq = first_seq + 3e9, last_seq = last_seq + 3e9`)
    expect(said(await wrong())).toEqual([])
  })

  it('finds a session that sits in a transaction, and whether others may wait for it', async () => {
    const open = await log.pool.connect()
    await open.query('begin; select pg_current_xact_id()')
    expect(said(await idleSessions(0)({ service: 'clients', db: log.pool as never }))).toEqual([
      expect.stringMatching(
        /sits idle in a transaction for \d+ s, and has written: whoever needs the same rows waits/,
      ),
    ])
    await open.query('commit')
    open.release()
    await append(1) // nothing waits for it
    expect(await wrong()).toEqual([])
  })

  it('finds a transaction that somebody prepared and forgot', async () => {
    const client = await log.pool.connect()
    await client.query('begin')
    await client.query(`update event_types set topic = topic; prepare transaction 'forgotten'`)
    client.release()
    const [found, ...others] = await wrong()
    expect(others).toEqual([])
    expect(found).toMatchObject({
      check: 'prepared-transactions',
      what: expect.stringMatching(/“forgotten” is prepared for \d+ s: whoever needs the same rows waits/),
      todo: expect.stringContaining(`rollback prepared 'forgotten'`),
    })
    await append(1) // which needs other rows
    await log.pool.query(`rollback prepared 'forgotten'`)
    expect(await wrong()).toEqual([])
  })

  it('finds a hold that its rebuild left while a process lives, and ends it', async () => {
    await log.pool.query(`update publisher set hold = 'held'`)
    expect(await wrong()).toEqual([]) // who starts next ends it
    const locks = new Locks(log.another())
    await locks.hold('log')
    const found = await wrong()
    expect(said(found)).toEqual(['publisher: it is on hold, and the rebuild that asked for it has ended'])
    const client = await log.pool.connect()
    expect(await repair(new Map([['clients', client]]), found)).toEqual([
      'clients: its publisher is on hold no more.',
    ])
    client.release()
    expect(await wrong()).toEqual([])
    locks.close()
  })

  it('replays the states of streams', async () => {
    const decider: Decider<
      string,
      ReturnType<typeof suspended>,
      { times: number; note?: string | undefined }
    > = {
      category: 'client',
      initial: { times: 0 },
      decide: command => [suspended('x', command)],
      evolve: ({ times }) => ({ times: times + 1, note: undefined }),
      remembered: true,
      deadline: { at: ({ times }) => (times === 1 ? 1000 : null), command: () => 'time' },
    }
    const store = new EventStore(log.pool)
    const commands = new Commands(store, () => new Date())
    for (const id of ['a', 'a', 'b', 'c', 'd']) await commands.run(decider, id, 'why', { actor: operator })
    // whose state is stored of the version before
    await commands.run(decider, 'd', 'why', { actor: operator }, await commands.recall(decider, 'd'))
    await append(1) // folded by other code
    const client = await log.pool.connect()
    const states = async () => said(await foldedStates('clients', client, [decider]))
    expect(await states()).toEqual([
      'folded-states: the states of 4 streams are what a replay gives; 1 were folded by another build and are folded anew when they are needed',
    ])
    await log.pool.query(`update streams set state = '{"times": 3}' where stream_id = 'client-a'`)
    expect(await states()).toEqual(['folded-states: the stored state of client-a is not what its events say'])
    await log.pool.query('update streams set deadline = null')
    expect(await states()).toEqual([
      'folded-states: the stored state of client-a is not what its events say',
      'folded-states: nobody will see what time brings to client-b',
      'folded-states: nobody will see what time brings to client-c',
    ])
    client.release()
    await store.close()
  })
})

describeWithKafka('the doctor, with Kafka', () => {
  let kafka: KafkaOptions
  beforeEach(async () => {
    kafka = { clientId: 'spec', ...(await testKafka()) }
  })

  /** Deletes the topic and writes it again, as somebody would who means well. */
  async function rewrite(change: (records: TopicRecord[]) => TopicRecord[]): Promise<void> {
    const records: TopicRecord[] = []
    await readTopic(kafka, 'clients', async batch => void records.push(...batch))
    const client = new kafkajs.Kafka({ clientId: 'spec', brokers: [...kafka.brokers], logLevel: 0 })
    const topic = `${kafka.topicPrefix}grantlog.clients.v1`
    const admin = client.admin()
    await admin.connect()
    await admin.deleteTopics({ topics: [topic] })
    await eventually(async () => expect(await admin.listTopics()).not.toContain(topic))
    await admin.disconnect()
    await applyTopics(kafka)
    const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({
      topic,
      messages: change(records).map(({ partition, value, previous }) => ({
        partition,
        value,
        headers: { previous: String(previous) },
      })),
    })
    await producer.disconnect()
  }

  it('compares topics with what is stored, byte for byte, and a rebuild mends what it finds', async () => {
    expect(said(await wrong(kafka))).toEqual([
      `topic: The topic ${kafka.topicPrefix}grantlog.clients.v1 is missing`,
      `topic: The topic ${kafka.topicPrefix}grantlog.revocations.v1 is missing`,
    ])
    await applyTopics(kafka)
    await append(20)
    const sink = new KafkaSink(kafka)
    await publish(sink)
    await log.pool.query('update publisher set cursor = 0; delete from published')
    await publish(sink) // all of it twice: no fault
    await sink.close()
    const right = 'topic: grantlog.clients.v1 holds 40 events, byte for byte as they are stored'
    await eventually(async () => expect(await wrong(kafka)).toEqual([])) // a new broker's coordinator loads at its first use
    expect(said(await examined(kafka))).toContain(right)

    const once = (records: TopicRecord[]) => [
      ...new Map(records.map(record => [record.value, record])).values(),
    ]
    const mended = async () => {
      await rebuildClients()
      expect(await wrong(kafka)).toEqual([])
      expect(said(await examined(kafka))).toContain(right)
    }
    await rewrite(records => once(records).filter((_, index) => index !== 3))
    const lost = await wrong(kafka)
    expect(said(lost)[0]).toMatch(
      /^topic: (the chain is broken: grantlog.clients.v1\[\d+\]: event \d+ follows|grantlog.clients.v1 holds 39 of 40)/,
    )
    expect(lost[0]?.todo).toBe('Run grantlog topics rebuild clients: consumers go on unharmed.')
    await mended()
    await rewrite(records =>
      once(records).map((record, index) =>
        index === 5 ? { ...record, value: record.value.replace('maintenance', 'malice') } : record,
      ),
    )
    expect(said(await wrong(kafka))).toEqual([
      expect.stringMatching(/^topic: grantlog.clients.v1 holds 1 events otherwise than they are stored/),
    ])
    await mended()
  })

  async function rebuildClients(): Promise<void> {
    const client = await log.pool.connect()
    await rebuildTopic('clients', new Map<Service, typeof client>([['clients', client]]), kafka)
    client.release()
  }

  it('says that Kafka does not answer', async () => {
    expect(said(await wrong({ clientId: 'spec', brokers: ['127.0.0.1:9'] }))).toEqual([
      expect.stringMatching(/^topic: Kafka at 127\.0\.0\.1:9 can not be read/),
    ])
  })
})
