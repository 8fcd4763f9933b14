import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import {
  type Heartbeat,
  heartbeat,
  parseEventLine,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import kafkajs, { type Admin, type Consumer, type EachBatchPayload, type Kafka, type Producer } from 'kafkajs'
import { ChainBroken } from '../errors.js'
import type { EventSink, OutgoingMessage } from '../publisher.js'
import { differences, topicName, topicSettings, wantedTopics } from './topics.js'
import type { DeliveredEvent, Subscriber, Subscription, Transport } from './transport.js'

// kafkajs 2.2.4 re-arms a timer per connection every millisecond, for ever. Nothing pending, no throttle: nothing to check.
const queue: {
  prototype: { pending: unknown[]; throttledUntil: number; scheduleCheckPendingRequests(): void }
} = createRequire(import.meta.url)('kafkajs/src/network/requestQueue')
const schedule = queue.prototype.scheduleCheckPendingRequests
queue.prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
}

// Passed to every client and consumer: a consumer has its own default, and NODE_ENV=test changes all of them.
const retry = { initialRetryTime: 100, maxRetryTime: 1000, multiplier: 1.5, retries: Number.MAX_SAFE_INTEGER }

export interface KafkaOptions {
  readonly clientId: string
  readonly brokers: readonly string[]
  /** Put before every topic name; empty in production. */
  readonly topicPrefix?: string
}

function client(options: KafkaOptions, retries = retry.retries): Kafka {
  return new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    retry: { ...retry, retries },
    requestTimeout: 10_000,
    logLevel: kafkajs.logLevel.NOTHING,
  })
}

const nameOf = ({ topicPrefix }: KafkaOptions, topic: Topic) => topicName(topic, topicPrefix)

/** Creates the topics that are missing, and says how existing ones differ from what they must be. Changes nothing that exists. */
export async function applyTopics(options: KafkaOptions): Promise<{ created: string[]; wrong: string[] }> {
  return withAdmin(options, async admin => {
    const existing = new Set(await admin.listTopics())
    const missing = wantedTopics(options.topicPrefix).filter(({ name }) => !existing.has(name))
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ name, partitions }) => ({
        topic: name,
        numPartitions: partitions,
        configEntries: Object.entries(topicSettings).map(([setting, value]) => ({ name: setting, value })),
      })),
    })
    return { created: missing.map(({ name }) => name), wrong: await findWrong(admin, options) }
  })
}

/** How the topics differ from what they must be, each in a sentence. */
export async function verifyTopics(options: KafkaOptions): Promise<string[]> {
  return withAdmin(options, admin => findWrong(admin, options))
}

async function findWrong(admin: Admin, options: KafkaOptions): Promise<string[]> {
  const existing = new Set(await admin.listTopics())
  const names = wantedTopics(options.topicPrefix)
    .map(({ name }) => name)
    .filter(name => existing.has(name))
  // asked about no topic, a broker tells of all of them, or refuses
  if (names.length === 0) return differences(wantedTopics(options.topicPrefix), [])
  const { topics: found } = await admin.fetchTopicMetadata({ topics: names })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map(name => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  })
  return differences(
    wantedTopics(options.topicPrefix),
    found.map(({ name, partitions }) => ({
      name,
      partitions: partitions.length,
      settings: new Map(
        resources
          .find(({ resourceName }) => resourceName === name)
          ?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      ),
    })),
  )
}

async function withAdmin<T>(options: KafkaOptions, work: (admin: Admin) => Promise<T>): Promise<T> {
  // asked for by a person or a start: not being there is an answer too
  const admin = client(options, 6).admin({ retry: { ...retry, retries: 6 } })
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Sends batches, all replicas acknowledging, one in flight: with more, this client loses or reorders what it was told is safe. */
export class KafkaSink implements EventSink {
  #producer: Producer | undefined

  constructor(private readonly options: KafkaOptions) {}

  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const producer = this.#producer ?? (await this.#connect())
    const byTopic = Map.groupBy(messages, message => message.topic)
    try {
      await producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, outgoing]) => ({
          topic: nameOf(this.options, topic),
          messages: outgoing.map(({ partition, key, value, previous }) => ({
            partition,
            key,
            value,
            headers: { 'content-type': 'application/cloudevents+json', previous: String(previous) },
          })),
        })),
      })
    } catch (error) {
      await this.close() // a producer that met a deleted topic is poisoned for good
      throw error
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.disconnect()
  }

  async #connect(): Promise<Producer> {
    const producer = client({ ...this.options }).producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // bounded, so that a send comes back to us; ours is the loop that tries again
      retry: { ...retry, retries: 5 },
    })
    await producer.connect()
    this.#producer = producer
    return producer
  }
}

/** Kafka only delivers: each subscription reads all partitions as a group of one, from positions that the subscriber owns. */
export class KafkaTransport implements Transport {
  readonly #tails = new Set<KafkaTail>()

  constructor(private readonly options: KafkaOptions) {}

  async subscribe(subscriber: Subscriber): Promise<Subscription> {
    const tail = new KafkaTail(this.options, subscriber)
    this.#tails.add(tail)
    tail.start()
    return {
      stop: async () => {
        this.#tails.delete(tail)
        await tail.stop()
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tails].map(tail => tail.stop()))
  }
}

class KafkaTail {
  readonly #topicOf: ReadonlyMap<string, Topic>
  readonly #offsets = new Map<string, string>()
  readonly #feed: FeedClock
  #consumer: Consumer | undefined
  #opening: Promise<void> | undefined
  #stopped = false

  constructor(
    private readonly options: KafkaOptions,
    private readonly subscriber: Subscriber,
  ) {
    this.#topicOf = new Map(subscriber.topics.map(topic => [nameOf(options, topic), topic]))
    this.#feed = new FeedClock(subscriber)
  }

  start(): void {
    this.#opening = this.#open()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#consumer?.disconnect()
    await this.#opening
    await this.#consumer?.disconnect()
  }

  /** Tries until it reads: at first the broker, or a topic, may not be there yet. */
  async #open(): Promise<void> {
    for (let pause = 100; !this.#stopped; pause = Math.min(pause * 2, 2000)) {
      try {
        return await this.#read()
      } catch (error) {
        this.subscriber.trouble?.(error)
        await this.#consumer?.disconnect().catch(reason => this.subscriber.trouble?.(reason))
        await new Promise(resolve => setTimeout(resolve, pause))
      }
    }
  }

  async #read(): Promise<void> {
    await this.#findOffsets()
    const consumer = client(this.options).consumer({
      groupId: `${this.options.topicPrefix ?? ''}grantlog.${this.subscriber.name}.${randomUUID()}`, // nobody waits for a dead member
      retry: { ...retry, retries: 5, restartOnFailure: async () => false },
      maxWaitTimeInMs: 100,
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 10_000,
    })
    this.#consumer = consumer
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (this.#stopped || consumer !== this.#consumer) return
      this.subscriber.trouble?.(payload.error)
      this.#opening = consumer.disconnect().then(
        () => this.#open(),
        () => this.#open(),
      )
    })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // at once: an await before the seek would let a batch from elsewhere through
      for (const [name, partitions] of Object.entries(payload.memberAssignment)) {
        for (const partition of partitions) {
          consumer.seek({ topic: name, partition, offset: this.#offsets.get(`${name}:${partition}`) ?? '0' })
        }
      }
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#topicOf.keys()], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: payload => this.#batch(consumer, payload),
    })
  }

  async #findOffsets(): Promise<void> {
    const admin = client(this.options).admin()
    try {
      for (const [name, topic] of this.#topicOf) {
        for (let partition = 0; partition < topics[topic].partitions; partition++) {
          const begin = this.subscriber.begin(topic, partition)
          if (!('at' in begin)) this.#offsets.set(`${name}:${partition}`, begin.nextOffset ?? '0')
          else if (!this.#offsets.has(`${name}:${partition}`)) {
            await admin.connect()
            const since = await admin.fetchTopicOffsetsByTimestamp(name, begin.at.getTime())
            for (const found of since) this.#offsets.set(`${name}:${found.partition}`, found.offset)
          }
        }
      }
    } finally {
      await admin.disconnect()
    }
  }

  /** Never throws: kafkajs would end this consumer for good on a TypeError, and say nothing. */
  async #batch(
    consumer: Consumer,
    { batch, resolveOffset, heartbeat: keepAlive, isRunning, isStale, pause }: EachBatchPayload,
  ): Promise<void> {
    const topic = this.#topicOf.get(batch.topic)
    if (topic === undefined || !isRunning() || isStale()) return
    try {
      const nextOffset = String(BigInt(batch.lastOffset()) + 1n)
      const events: DeliveredEvent[] = []
      const beats: Heartbeat[] = []
      for (const { value, headers } of batch.messages) {
        const line = value?.toString('utf8') ?? ''
        if (line.includes('"type":"feed.heartbeat.v1"')) beats.push(heartbeat.parse(JSON.parse(line)))
        else events.push({ event: parseEventLine(line), previous: Number(String(headers?.previous)) })
      }
      if (events.length > 0)
        await this.subscriber.deliver({ topic, partition: batch.partition, events, nextOffset })
      this.#feed.delivered(topic, batch.partition, events)
      for (const beat of beats) this.#feed.beat(topic, batch.partition, beat)
      this.#offsets.set(`${batch.topic}:${batch.partition}`, nextOffset)
      resolveOffset(batch.lastOffset())
      await keepAlive()
    } catch (error) {
      this.subscriber.trouble?.(error)
      const resume = pause()
      setTimeout(() => {
        if (consumer === this.#consumer && !this.#stopped) resume()
      }, 500).unref()
    }
  }
}

/** How far each source's feed has been heard: the earliest of its partitions, and only while nothing is missing. */
class FeedClock {
  readonly #delivered = new Map<string, number>()
  readonly #heard = new Map<Service, Map<number, Date>>()

  constructor(private readonly subscriber: Subscriber) {}

  delivered(topic: Topic, partition: number, events: readonly DeliveredEvent[]): void {
    for (const { event } of events) {
      const place = `${topic}:${partition}:${event.source}`
      this.#delivered.set(place, Math.max(event.logseq, this.#delivered.get(place) ?? 0))
    }
  }

  beat(topic: Topic, partition: number, { source, data }: Heartbeat): void {
    const place = `${topic}:${partition}:${source}`
    const last = this.#delivered.get(place)
    if (last === undefined) this.#delivered.set(place, data.logSeq)
    else if (last < data.logSeq)
      throw new ChainBroken({ source, topic, partition }, last, {
        previous: data.logSeq,
        logSeq: data.logSeq,
      })
    const heard = this.#heard.get(source) ?? new Map<number, Date>()
    this.#heard.set(source, heard.set(partition, new Date(data.time)))
    if (heard.size < topics[topic].partitions) return
    this.subscriber.alive?.(source, new Date(Math.min(...[...heard.values()].map(date => date.getTime()))))
  }
}
