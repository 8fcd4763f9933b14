import { randomUUID } from 'node:crypto'
import {
  type Heartbeat,
  heartbeat,
  parseEventLine,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import type { Consumer, EachBatchPayload } from 'kafkajs'
import { ChainBroken } from '../errors.js'
import { groupOf } from './kafka-access.js'
import { client, type KafkaOptions, nameOf, retry } from './kafka-client.js'
import type { DeliveredEvent, Subscriber, Subscription, Transport } from './transport.js'

/** Kafka only delivers: each subscription reads all partitions as a group of one, from positions that the subscriber owns. */
export class KafkaTransport implements Transport {
  readonly #tails = new Set<KafkaTail>()

  constructor(private readonly options: KafkaOptions) {}

  async subscribe(subscriber: Subscriber): Promise<Subscription> {
    const tail = new KafkaTail(this.options, subscriber)
    this.#tails.add(tail)
    tail.start()
    return {
      places: subscriber.topics.flatMap(topic =>
        Array.from({ length: topics[topic].partitions }, (_, partition) => `${topic}:${partition}`),
      ),
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
      groupId: `${groupOf(this.options.topicPrefix, this.options.clientId)}.${this.subscriber.name}.${randomUUID()}`, // nobody waits for a dead member
      retry: { ...retry, retries: 2, restartOnFailure: async () => false }, // then we open anew
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
      partitionsConsumedConcurrently: 24, // those that arrive together share a transaction
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
        if (this.subscriber.progress) {
          await admin.connect()
          for (const { partition, high } of await admin.fetchTopicOffsets(name))
            this.#tellProgress(name, partition, high)
        }
      }
    } finally {
      await admin.disconnect()
    }
  }

  #tellProgress(name: string, partition: number, end: string): void {
    const topic = this.#topicOf.get(name)
    const read = Number(this.#offsets.get(`${name}:${partition}`))
    // a topic that was made anew ends before the offset that was kept
    this.subscriber.progress?.(`${topic}:${partition}`, Math.min(read, Number(end)), Number(end))
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
      this.#tellProgress(batch.topic, batch.partition, batch.highWatermark)
      resolveOffset(batch.lastOffset())
      await keepAlive()
    } catch (error) {
      this.subscriber.trouble?.(error)
      const resume = pause()
      setTimeout(() => {
        if (consumer !== this.#consumer || this.#stopped) return
        const begin = this.subscriber.begin(topic, batch.partition)
        try {
          if (!('at' in begin)) consumer.seek({ ...batch, offset: begin.nextOffset ?? '0' })
          resume()
        } catch (error) {
          this.subscriber.trouble?.(error) // it has ended meanwhile, and is opened anew where it should begin
        }
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
    for (const { event, previous } of events) {
      const { source, logseq } = event
      const place = `${topic}:${partition}:${source}`
      const last = this.#delivered.get(place)
      // a consumer that began at a time keeps no positions: nobody else would notice
      if (last !== undefined && logseq > last && previous !== last)
        throw new ChainBroken({ source, topic, partition }, last, { previous, logSeq: logseq })
      this.#delivered.set(place, Math.max(logseq, last ?? 0))
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
