import {
  definitionOf,
  type EventType,
  type RecordedEvent,
  recordedEvent,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import type pg from 'pg'
import { ChainBroken } from './errors.js'
import type { Locks } from './locks.js'
import { Loop } from './loop.js'
import { partitionOf } from './partition.js'
import { fold, keyOf, type Projection, type Row, topicsOf } from './projection.js'
import type { Delivery, Position, Subscription, Transport } from './transport/transport.js'

export interface ProjectionStatus {
  readonly name: string
  readonly security: boolean
  readonly owner: boolean
  /** Why it does not go on; undefined when it does. */
  readonly trouble: string | undefined
}

/** What a command appended to a stream of this service. */
export interface Appended {
  readonly streamId: string
  readonly events: readonly { readonly id: string; readonly type: EventType }[]
}

/** Keeps one read model up to date. Of all instances one applies it; each batch is one transaction. */
export class ProjectionRunner {
  readonly #loop: Loop
  readonly #positions = new Map<string, Position>()
  #subscriptions: Subscription[] = []
  /** What keeps a partition from going on, by `topic:partition`. */
  readonly #troubles = new Map<string, unknown>()

  constructor(
    readonly projection: Projection,
    private readonly options: {
      pool: pg.Pool
      locks: Locks
      service: Service | undefined
      /** The service's own log. */
      local: Transport | undefined
      /** The other services' events. */
      remote: Transport
      report: (error: unknown) => void
    },
  ) {
    this.#loop = new Loop(
      () => this.#own(),
      error => {
        options.report(error)
        return 1000
      },
    )
  }

  start(): void {
    this.#loop.start()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    await this.#release()
  }

  status(): ProjectionStatus {
    const { name, security } = this.projection
    const [trouble] = this.#troubles.values()
    return {
      name,
      security,
      owner: this.#subscriptions.length > 0,
      trouble: trouble === undefined ? undefined : String(trouble),
    }
  }

  /**
   * Waits until the read model holds those of the appended events that concern it.
   * @returns false when it did not within the time
   */
  async applied({ streamId, events }: Appended, milliseconds = 2000): Promise<boolean> {
    const last = events.findLast(event => event.type in this.projection.on)
    if (last === undefined) return true
    const { topic } = definitionOf(last.type)
    const values = [last.id, this.projection.name, topic, partitionOf(topic, streamId), this.options.service]
    for (const until = Date.now() + milliseconds; Date.now() < until; ) {
      const { rowCount } = await this.options.pool.query({ name: 'applied', text: appliedQuery, values })
      if (rowCount === 1) return true
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return false
  }

  async #own(): Promise<number> {
    const lock = `projection ${this.projection.name}`
    if (this.#subscriptions.length > 0 && !this.options.locks.holds(lock)) await this.#release()
    if (!(await this.options.locks.hold(lock))) return 500
    if (this.#subscriptions.length === 0) await this.#subscribe()
    return 1000
  }

  async #subscribe(): Promise<void> {
    await this.#loadPositions()
    const all = topicsOf(this.projection)
    const written = (topic: Topic, own: boolean) =>
      topics[topic].writers.some(writer => (writer === this.options.service) === own)
    const subscribe = async (transport: Transport | undefined, own: boolean) => {
      const some = all.filter(topic => written(topic, own))
      if (!transport || some.length === 0) return
      const subscription = await transport.subscribe({
        name: this.projection.name,
        topics: some,
        begin: (topic, partition) =>
          this.#positions.get(`${topic}:${partition}`) ?? { lastSeq: {}, nextOffset: null },
        deliver: delivery => this.#apply(delivery),
        trouble: error => this.#unreachable(error),
      })
      this.#subscriptions.push(subscription)
    }
    await subscribe(this.options.local, true)
    await subscribe(this.options.remote, false)
  }

  async #release(): Promise<void> {
    const subscriptions = this.#subscriptions
    this.#subscriptions = []
    await Promise.all(subscriptions.map(subscription => subscription.stop()))
    this.#troubles.clear()
  }

  /** Events that do not arrive leave the read model as it is, and right; events that are missing do not. */
  #unreachable(error: unknown): void {
    if (error instanceof ChainBroken) {
      const { topic, partition } = error.place
      this.#troubles.set(`${topic}:${partition}`, error)
    }
    this.options.report(error)
  }

  async #loadPositions(): Promise<void> {
    const { rows } = await this.options.pool.query<CheckpointRow>(
      'select topic, partition, positions, next_offset from checkpoints where projection = $1',
      [this.projection.name],
    )
    this.#positions.clear()
    for (const row of rows) {
      this.#positions.set(`${row.topic}:${row.partition}`, {
        lastSeq: row.positions,
        nextOffset: row.next_offset,
      })
    }
  }

  /** One transaction: lock the checkpoint, drop what was seen, refuse a gap, apply set-wise, advance. */
  async #apply(delivery: Delivery): Promise<void> {
    const { topic, partition } = delivery
    const client = await this.options.pool.connect()
    let broken: unknown
    const lost = (reason: unknown) => {
      broken = reason
    }
    client.on('error', lost)
    try {
      await client.query('begin')
      const before = await lockCheckpoint(client, this.projection.name, topic, partition)
      const after: Position = {
        lastSeq: { ...before.lastSeq },
        nextOffset: delivery.nextOffset ?? before.nextOffset,
      }
      const fresh = unseen(delivery, after.lastSeq)
      await applyRows(client, this.projection, fresh)
      await client.query({
        name: 'advance-checkpoint',
        text: 'update checkpoints set positions = $4, next_offset = $5 where projection = $1 and topic = $2 and partition = $3',
        values: [this.projection.name, topic, partition, JSON.stringify(after.lastSeq), after.nextOffset],
      })
      await client.query('commit')
      this.#positions.set(`${topic}:${partition}`, after)
      this.#troubles.delete(`${topic}:${partition}`)
    } catch (error) {
      await client.query('rollback').catch(lost)
      this.#troubles.set(`${topic}:${partition}`, error)
      throw error
    } finally {
      client.off('error', lost)
      client.release(broken !== undefined)
    }
  }
}

interface CheckpointRow {
  topic: Topic
  partition: number
  positions: Position['lastSeq']
  next_offset: string | null
}

async function lockCheckpoint(
  client: pg.ClientBase,
  projection: string,
  topic: Topic,
  partition: number,
): Promise<Position> {
  const values = [projection, topic, partition]
  const select = {
    name: 'lock-checkpoint',
    text: `select topic, partition, positions, next_offset from checkpoints
           where projection = $1 and topic = $2 and partition = $3 for update`,
    values,
  }
  let row = (await client.query<CheckpointRow>(select)).rows[0]
  if (row === undefined) {
    await client.query(
      'insert into checkpoints (projection, topic, partition) values ($1, $2, $3) on conflict do nothing',
      values,
    )
    row = (await client.query<CheckpointRow>(select)).rows[0]
  }
  return { lastSeq: row?.positions ?? {}, nextOffset: row?.next_offset ?? null }
}

/** The events after the position, which moves along. @throws ChainBroken when one is missing */
function unseen(delivery: Delivery, lastSeq: Partial<Record<Service, number>>): RecordedEvent[] {
  const fresh: RecordedEvent[] = []
  for (const { event, previous } of delivery.events) {
    const last = lastSeq[event.source] ?? 0
    if (event.logseq <= last) continue
    if (previous !== last)
      throw new ChainBroken({ ...delivery, source: event.source }, last, { previous, logSeq: event.logseq })
    lastSeq[event.source] = event.logseq
    const recorded = recordedEvent(event)
    if (recorded) fresh.push(recorded)
  }
  return fresh
}

/** Three statements, however many events: read the rows concerned, write those that are there after, remove the others. */
async function applyRows(
  client: pg.ClientBase,
  projection: Projection,
  events: readonly RecordedEvent[],
): Promise<void> {
  const keys = [...new Set(events.map(event => keyOf(projection, event)).filter(key => key !== undefined))]
  if (keys.length === 0) return
  const { table, key } = projection
  const found = await client.query<{ key: string; row: Row }>(
    `select ${key}::text as key, to_json(t) as row from ${table} t where ${key} = any($1)`,
    [keys],
  )
  const rows = new Map<string, Row | undefined>(found.rows.map(({ key, row }) => [key, row]))
  fold(projection, rows, events)
  const kept = [...rows.values()].filter(row => row !== undefined)
  const gone = [...rows].filter(([, row]) => row === undefined).map(([key]) => key)
  const columns = Object.keys(projection.columns)
  if (kept.length > 0) {
    await client.query(
      `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)
       on conflict (${key}) do update set ${columns.map(column => `${column} = excluded.${column}`)}`,
      [JSON.stringify(kept)],
    )
  }
  if (gone.length > 0) await client.query(`delete from ${table} where ${key} = any($1)`, [gone])
}

const appliedQuery = `
  select from checkpoints c
  where c.projection = $2 and c.topic = $3 and c.partition = $4
    and (c.positions ->> $5)::bigint >= (select log_seq from log join events using (position) where event_id = $1)`
