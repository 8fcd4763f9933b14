import {
  definitionOf,
  type Envelope,
  eventTypeOf,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import pg from 'pg'
import { Connection } from '../connection.js'
import { readDetached } from '../detached.js'
import { EventsDetached } from '../errors.js'
import { typesBeside } from '../event-types.js'
import { KeptConnection } from '../kept-connection.js'
import { LogReader, lastSeqOf } from '../log.js'
import { Loop } from '../loop.js'
import { partitionOf } from '../partition.js'
import { appendedChannel } from '../tables.js'
import type { DeliveredEvent, Subscriber, Subscription, Transport } from './transport.js'

const batchSize = 2000
/** So often it is seen where a log ends. */
const idleMilliseconds = 250
/** Whoever has read all of it is woken when there is more. */
const restMilliseconds = 30_000

/**
 * No broker: consumers tail the producers' event tables. The same batches, partitions and positions as on Kafka, so
 * that a consumer can change from one to the other and go on where it was.
 */
export class EmbeddedTransport implements Transport {
  readonly #logs: SourceLog[]
  readonly #own: pg.Pool[]

  /** @param sources for each source its database: a URL, or a pool that the caller keeps */
  constructor(sources: Partial<Record<Service, string | pg.Pool>>) {
    const pools = Object.entries(sources).map(([source, database]) => {
      const pool =
        typeof database === 'string'
          ? new pg.Pool({
              connectionString: database,
              max: 4,
              Client: Connection,
              connectionTimeoutMillis: 10_000,
            })
          : database
      const own = typeof database === 'string'
      if (own) pool.on('error', () => undefined) // an idle connection broke; the next query says so
      return { source: source as Service, pool, own }
    })
    this.#logs = pools.map(({ source, pool }) => new SourceLog(source, pool))
    this.#own = pools.filter(({ own }) => own).map(({ pool }) => pool)
  }

  async subscribe(subscriber: Subscriber): Promise<Subscription> {
    const tails = this.#logs
      .filter(({ source }) =>
        subscriber.topics.some(topic => (topics[topic].writers as readonly Service[]).includes(source)),
      )
      .map(log => new Tail(log, subscriber))
    for (const tail of tails) tail.start()
    return {
      places: tails.map(({ log }) => log.source),
      stop: async () => void (await Promise.all(tails.map(tail => tail.stop()))),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#logs.map(log => log.close()))
    await Promise.all(this.#own.map(pool => pool.end()))
  }
}

/** The log of one source. However many follow it, one connection listens, and one question asks for its end. */
class SourceLog {
  readonly #connection: KeptConnection
  readonly #looking: Loop
  readonly #tails = new Set<Tail>()

  constructor(
    readonly source: Service,
    readonly pool: pg.Pool,
  ) {
    this.#connection = new KeptConnection(pool, client => {
      client.on('notification', ({ payload = '' }) => {
        const kinds = payload.split(' ')
        for (const tail of this.#tails) if (payload === '' || kinds.some(tail.wants)) tail.wake()
      })
      return client.query(`listen ${appendedChannel}`)
    })
    this.#looking = new Loop(
      () => this.#look(),
      () => {
        for (const tail of this.#tails) tail.doubt()
        return 500
      },
    )
  }

  join(tail: Tail): void {
    this.#tails.add(tail)
    this.#looking.start()
  }

  async leave(tail: Tail): Promise<void> {
    this.#tails.delete(tail)
    if (this.#tails.size === 0) await this.close()
  }

  /** Makes sure that somebody listens: connections break. @throws Error when the source can not be reached */
  async listen(): Promise<void> {
    await this.#connection.get()
  }

  async close(): Promise<void> {
    await this.#looking.stop()
    this.#connection.close()
  }

  /** Whoever listens hears nothing where nothing happens, and nothing where the network has forgotten the connection. */
  async #look(): Promise<number> {
    await this.listen()
    const time = new Date()
    const lastSeq = await lastSeqOf(this.pool)
    for (const tail of this.#tails) tail.hear({ time, lastSeq })
    return idleMilliseconds
  }
}

/** What was committed before `time` has a number up to `lastSeq`. */
interface Moment {
  readonly time: Date
  readonly lastSeq: number
}

/** Follows the log of one source for one subscriber. */
class Tail {
  readonly #loop: Loop
  /** Whether events of a kind (see `appendedChannel`) are to wake it. */
  readonly wants: (kind: string) => boolean
  /** The last number read of the source's log, whatever its topic; undefined until the beginning is known. */
  #cursor: number | undefined
  /** Such a subscriber keeps no position: it goes on from what it was handed. */
  #begunAtTime = false
  /** Once it is read up to there, the source was alive then. */
  #moment: Moment | undefined
  /** The last number handed over, per partition: the next one's `previous`. */
  #handed = new Map<string, number>()
  /** The log's last number, as known until then. */
  #end = { number: 0, until: 0 }
  readonly #reader: LogReader

  constructor(
    readonly log: SourceLog,
    private readonly subscriber: Subscriber,
  ) {
    const beside = typesBeside(subscriber.topics)
    this.wants = kind => {
      const [name = '', category = ''] = kind.split(':')
      if (beside.includes(name)) return false
      const type = eventTypeOf(name)
      // a newer build's is wanted, whatever it is
      return type === undefined || subscriber.concerned?.(type, category) !== false
    }
    this.#reader = new LogReader(log.pool, log.source, batchSize, beside)
    this.#loop = new Loop(
      () => this.#step(),
      error => {
        subscriber.trouble?.(error)
        if (!this.#begunAtTime) this.#cursor = undefined
        return 500
      },
    )
  }

  start(): void {
    this.log.join(this)
    this.#loop.start()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    await this.log.leave(this)
  }

  wake(): void {
    this.#loop.wake()
  }

  /** Takes note of where the log ended, and reads on if that is further. */
  hear(moment: Moment): void {
    if (this.#cursor === undefined) return
    this.#moment ??= moment
    if (this.#cursor < moment.lastSeq) this.wake()
    else this.#tellLife(this.#cursor)
  }

  /** Whether the source can be reached it finds out for itself. */
  doubt(): void {
    if (this.#cursor !== undefined) this.wake()
  }

  #tellLife(cursor: number): void {
    if (this.#moment === undefined || cursor < this.#moment.lastSeq) return
    this.subscriber.alive?.(this.log.source, this.#moment.time)
    this.#moment = undefined
  }

  async #step(): Promise<number> {
    await this.log.listen()
    if (this.#cursor === undefined) {
      this.#cursor = await this.#begin()
      await this.#tellProgress()
    }
    const { events, upTo, full } = await this.#reader.after(this.#cursor)
    const deliveries = [...this.#split(events)].map(async delivery => {
      await this.subscriber.deliver(delivery)
      const last = delivery.events.at(-1)
      if (last) this.#handed.set(`${delivery.topic}:${delivery.partition}`, last.event.logseq)
    })
    // none is left under way when one of them is refused
    const refused = (await Promise.allSettled(deliveries)).find(({ status }) => status === 'rejected')
    if (refused?.status === 'rejected') throw refused.reason
    const moved = upTo > this.#cursor
    this.#cursor = upTo
    this.#tellLife(upTo)
    if (full) await this.#tellProgress()
    else if (moved) this.subscriber.progress?.(this.log.source, this.#cursor, this.#cursor)
    return full ? 0 : restMilliseconds
  }

  /** The log's end is asked for once a second, and where it is reached: each batch would wait for the answer. */
  async #tellProgress(): Promise<void> {
    if (this.subscriber.progress === undefined || this.#cursor === undefined) return
    if (this.#cursor >= this.#end.number || Date.now() >= this.#end.until) {
      this.#end = { number: await lastSeqOf(this.log.pool), until: Date.now() + 1000 }
    }
    this.subscriber.progress(this.log.source, this.#cursor, this.#end.number)
  }

  /** Where to read on. @throws EventsDetached when that is in a file */
  async #begin(): Promise<number> {
    const starts: number[] = []
    const detached = await readDetached(this.log.pool)
    this.#handed.clear()
    for (const topic of this.subscriber.topics) {
      for (let partition = 0; partition < topics[topic].partitions; partition++) {
        const begin = this.subscriber.begin(topic, partition)
        if ('at' in begin) {
          if (detached.newest !== null && detached.newest >= begin.at)
            throw new EventsDetached(this.log.source, detached.upTo)
          const cursor = await this.#firstSince(begin.at)
          this.#begunAtTime = true
          return cursor
        }
        const last = begin.lastSeq[this.log.source] ?? 0
        if (last < (detached.heads.get(`${topic}:${partition}`) ?? 0))
          throw new EventsDetached(this.log.source, detached.upTo)
        this.#handed.set(`${topic}:${partition}`, last)
        starts.push(last)
      }
    }
    return Math.max(Math.min(...starts), detached.upTo)
  }

  async #firstSince(time: Date): Promise<number> {
    const { rows } = await this.log.pool.query<{ before: string }>(
      `select coalesce(min(log_seq) - 1, (select last_seq from log_end)) as before
       from (select log_seq from events where time >= $1 offset 0) e`,
      [time],
    )
    return Number(rows[0]?.before ?? 0)
  }

  /** The events of the subscriber's topics, each partition's together. */
  #split(events: readonly Envelope[]) {
    const byPartition = new Map<
      string,
      { topic: Topic; partition: number; events: DeliveredEvent[]; nextOffset: null }
    >()
    for (const event of events) {
      const type = eventTypeOf(event.type)
      const topic = type && definitionOf(type).topic
      if (topic === undefined || !this.subscriber.topics.includes(topic)) continue
      const partition = partitionOf(topic, event.subject)
      const place = `${topic}:${partition}`
      const handed = this.#handed.get(place)
      if (handed !== undefined && event.logseq <= handed) continue
      const delivery = byPartition.get(place) ?? { topic, partition, events: [], nextOffset: null }
      byPartition.set(place, delivery)
      delivery.events.push({ event, previous: delivery.events.at(-1)?.event.logseq ?? handed ?? 0 })
    }
    return byPartition.values()
  }
}
