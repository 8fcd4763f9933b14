import {
  type Envelope,
  eventLine,
  heartbeatLine,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import type pg from 'pg'
import { EventTopics } from './event-types.js'
import { rebuildIsAtWork } from './hold.js'
import { LogReader, lastSeqOf } from './log.js'
import { partitionOf } from './partition.js'
import { inTransaction } from './transaction.js'

/** One message for a topic partition. */
export interface OutgoingMessage {
  readonly topic: Topic
  readonly partition: number
  readonly key: string
  readonly value: string
  readonly previous: number
  /** When it happened: consumers that begin at a time find it by this, also in a topic that was rebuilt later. */
  readonly time: Date
}

/** Where published events go. */
export interface EventSink {
  /** Returns when all are stored safely; a rejection says nothing of any. One call at a time. */
  send(messages: readonly OutgoingMessage[]): Promise<void>
  close(): Promise<void>
}

const batchSize = 500
const beatMilliseconds = 1000
const saveMilliseconds = 10

/**
 * Tails the log into a sink, at least once and in order: one batch in flight, the cursor saved after the
 * acknowledgement, while the next ones are on their way. Sent again after a crash, an event has the same bytes and the same link to its
 * predecessor. Asked to hold, it says that it holds, once what it sent is settled, and sends nothing until whoever asked has ended.
 */
export class Publisher {
  readonly #log: LogReader
  readonly #topics: EventTopics
  #cursor: number | undefined
  #chain = new Map<string, number>()
  /** What the database knows of them. */
  #saved: Saved | undefined
  #saving: Promise<void> | undefined
  #failed: unknown
  #askedToHold = false
  #lastBeat = 0
  /** What happened before `time` has a number up to `lastSeq`. */
  #moment: { readonly time: Date; readonly lastSeq: number } | undefined

  constructor(
    private readonly pool: pg.Pool,
    private readonly service: Service,
    private readonly sink: EventSink,
  ) {
    this.#log = new LogReader(pool, service, batchSize)
    this.#topics = new EventTopics(pool)
  }

  /** The last number that was published, as far as this instance knows. */
  get cursor(): number | undefined {
    return this.#cursor
  }

  /** Forgets what is kept in memory: another instance may have gone on. */
  reset(): void {
    this.#cursor = undefined
    this.#moment = undefined
    this.#askedToHold = false
    this.#failed = undefined
  }

  /** Waits until the cursor is where the last acknowledgement left it. @throws as `publish` */
  async settled(): Promise<void> {
    await this.#saving
    if (this.#failed !== undefined) throw this.#failed
  }

  /** Sends the next batch, if there is one. Returns whether more may wait. */
  async publish(): Promise<boolean> {
    if (this.#failed !== undefined) throw this.#failed
    if (this.#askedToHold) {
      await this.settled()
      this.reset()
    }
    const cursor = this.#cursor ?? (await this.#load())
    if (cursor === undefined) return false
    const { events, full } = await this.#log.after(cursor)
    if (events.length === 0) {
      if (await this.#isAskedToHold()) this.#askedToHold = true
      return false
    }
    const chain = new Map(this.#chain)
    const topicOf = await this.#topics.of(events.map(({ type }) => type))
    await this.sink.send(events.map(event => outgoing(event, topicOf(event.type), chain)))
    this.#cursor = cursor + events.length
    this.#chain = chain
    this.#saving ??= this.#save()
    return full
  }

  /**
   * Says on every partition of the revocation feed that all is said that happened before a moment of this second: once it is. Under
   * load there may never be a moment with nothing left to publish, so one is noted and waited for.
   */
  async beat(now: Date): Promise<void> {
    if (this.#cursor === undefined || now.getTime() - this.#lastBeat < beatMilliseconds) return
    this.#moment ??= { time: now, lastSeq: await lastSeqOf(this.pool) }
    const { time, lastSeq } = this.#moment
    if (this.#cursor < lastSeq) return
    const topic = 'revocations'
    const partitions = Array.from({ length: topics[topic].partitions }, (_, partition) => partition)
    await this.sink.send(
      partitions.map(partition => {
        const previous = this.#chain.get(`${topic}:${partition}`) ?? 0
        return {
          topic,
          partition,
          key: '',
          value: heartbeatLine(this.service, previous, time),
          previous,
          time,
        }
      }),
    )
    this.#moment = undefined
    this.#lastBeat = now.getTime()
  }

  /** Where it stands; undefined while it is on hold. */
  async #load(): Promise<number | undefined> {
    await this.#saving
    const { rows } = await this.pool.query<PublisherRow>(load)
    const row = rows[0]
    if (row === undefined) throw new Error('The publisher’s row is missing: the event tables are damaged')
    if (row.hold !== 'none') {
      await this.pool.query('update publisher set hold = $1 where hold = $2', [
        row.asker ? 'held' : 'none',
        row.hold,
      ])
      if (row.asker) return undefined
    }
    this.#chain = new Map(row.heads.map(head => [head.place, head.log_seq]))
    this.#cursor = Number(row.cursor)
    this.#saved = { cursor: this.#cursor, chain: this.#chain }
    return this.#cursor
  }

  async #isAskedToHold(): Promise<boolean> {
    const { rows } = await this.pool.query<{ hold: string }>('select hold from publisher')
    return rows[0]?.hold !== 'none'
  }

  /** Saves the cursor, and again while it moves: each time costs as much as a batch, so it is done now and then. Never throws. */
  async #save(): Promise<void> {
    await undefined // `#saving` is this by then
    try {
      while (this.#saved !== undefined && this.#cursor !== undefined && this.#saved.cursor < this.#cursor) {
        const next = { cursor: this.#cursor, chain: this.#chain }
        const hold = await this.#move(this.#saved, next)
        this.#saved = next
        if (hold !== 'none') this.#askedToHold = true
        await new Promise(resolve => setTimeout(resolve, saveMilliseconds))
      }
    } catch (error) {
      this.#failed = error
    } finally {
      this.#saving = undefined
    }
  }

  /** @returns whether somebody asks to hold */
  async #move(from: Saved, to: Saved): Promise<string> {
    const moved = [...to.chain].filter(([place, logSeq]) => from.chain.get(place) !== logSeq)
    const places = moved.map(([place]) => place.split(':'))
    const values = [
      from.cursor,
      to.cursor,
      places.map(place => place[0]),
      places.map(place => Number(place[1])),
      moved.map(([, logSeq]) => logSeq),
    ]
    // not waiting for the disk: a cursor that was lost with it sends again what was sent
    const [row] = await inTransaction(
      this.pool,
      async (client, commit) => {
        const [{ rows }] = await Promise.all([
          client.query<{ hold: string }>({ name: 'save-publisher', text: save, values }),
          commit(),
        ])
        return rows
      },
      'begin; set local synchronous_commit to off',
    )
    if (row === undefined)
      throw new Error('Another instance has published further, or holds: starting over from where it is')
    return row.hold
  }
}

/** How far a log is published: the last number, and the last of each `topic:partition`. */
interface Saved {
  readonly cursor: number
  readonly chain: ReadonlyMap<string, number>
}

interface PublisherRow {
  cursor: string
  hold: 'none' | 'asked' | 'held'
  /** Whoever asked to hold is still there. */
  asker: boolean
  heads: { place: string; log_seq: number }[]
}

const load = `
  select cursor, hold, hold <> 'none' and ${rebuildIsAtWork} as asker, coalesce((
    select json_agg(json_build_object('place', topic || ':' || partition, 'log_seq', log_seq)) from published), '[]'
  ) as heads from publisher`

// an instance that does not know that it lost the log can not move what another one holds
const save = `
  with moved as (
    update publisher set cursor = $2 where cursor = $1 and hold <> 'held' returning hold
  ), heads as (
    insert into published (topic, partition, log_seq)
    select m.topic, m.partition, m.log_seq from unnest($3::text[], $4::int[], $5::bigint[]) as m (topic, partition, log_seq)
    where exists (select from moved)
    on conflict (topic, partition) do update set log_seq = excluded.log_seq
  )
  select hold from moved`

/** The message of an event. @param chain the last `logseq` per `topic:partition`, which moves along */
export function outgoing(event: Envelope, topic: Topic, chain: Map<string, number>): OutgoingMessage {
  const partition = partitionOf(topic, event.subject)
  const place = `${topic}:${partition}`
  const previous = chain.get(place) ?? 0
  chain.set(place, event.logseq)
  return {
    topic,
    partition,
    key: event.subject,
    value: eventLine(event),
    previous,
    time: new Date(event.time),
  }
}
