import { createHash } from 'node:crypto'
import { canonicalJson } from '@grantlog/contracts'
import type pg from 'pg'
import { loadPositions, unseen } from './checkpoint.js'
import { ChainBroken, HandlerFailed } from './errors.js'
import { type Backlog, type Feeds, subscribeTo } from './feeds.js'
import { fold, keyOf, type Projection, type Row } from './projection.js'
import type { ParkedEvent } from './read-model.js'
import { inTransaction } from './transaction.js'
import type { Delivery, Position } from './transport/transport.js'

/** How far long work is, in the transport's own count; heartbeats on a topic count too. */
export interface Progress {
  readonly read: number
  readonly of: number
}

/** Rows that were folded in memory, and where in the partitions that leaves the reader. */
export interface Replayed {
  readonly rows: Map<string, Row | undefined>
  readonly positions: ReadonlyMap<string, Position>
  /** By key: an event that could not be applied, and those behind it. What the key's row would be is not known. */
  readonly parked: ReadonlyMap<string, readonly ParkedEvent[]>
}

/**
 * Folds all events that a projection reads, from the first on, without its table.
 * @param until the positions to stop at, by `topic:partition`; without them, at the end of what there is now
 * @throws HandlerFailed for a security projection; ChainBroken when an event is missing; Error when the events end before `until`
 */
export async function replay(
  projection: Projection,
  feeds: Feeds,
  options: {
    until?: ReadonlyMap<string, Position>
    /** Where the rows go; a map of its own without it. */
    rows?: Map<string, Row | undefined>
    told: (progress: Progress) => unknown
    signal: AbortSignal
  },
): Promise<Replayed> {
  const { until, told, signal, rows = new Map<string, Row | undefined>() } = options
  const positions = new Map<string, Position>()
  const parked = new Map<string, ParkedEvent[]>()
  let failed: unknown

  const apply = (delivery: Delivery) => {
    const place = `${delivery.topic}:${delivery.partition}`
    const wanted = until === undefined ? delivery : upTo(delivery, until.get(place) ?? beginning)
    const { fresh, after } = unseen(wanted, positions.get(place) ?? beginning)
    for (const { envelope, event } of fresh) {
      const key = keyOf(projection, event)
      if (key === undefined) continue
      const before = parked.get(key)
      if (before !== undefined) {
        before.push({ key, envelope, error: null })
        continue
      }
      try {
        fold(projection, rows, [event])
      } catch (error) {
        if (projection.security || !(error instanceof HandlerFailed)) throw error
        parked.set(key, [{ key, envelope, error: String(error) }])
      }
    }
    positions.set(place, after)
  }
  const subscription = await subscribeTo(projection, feeds, {
    begin: (topic, partition) => positions.get(`${topic}:${partition}`) ?? beginning,
    deliver: async delivery => {
      try {
        apply(delivery)
      } catch (error) {
        failed = error
        throw error
      }
    },
    trouble: error => {
      if (error instanceof ChainBroken) failed = error // anything else, the transport mends
    },
  })
  try {
    while (!isDone(subscription.backlog, positions, until)) {
      if (failed !== undefined) throw failed
      signal.throwIfAborted()
      told(subscription.backlog.done)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    told(subscription.backlog.done)
  } finally {
    await subscription.stop()
  }
  return { rows, positions, parked }
}

/** How a read model differs from a pure replay of the events that it has seen: the keys of the rows. */
export interface Comparison {
  readonly rows: number
  readonly differing: readonly string[]
  /** Keys with parked events are not compared. */
  readonly parked: number
}

/** Compares a projection's table, as it is at one moment, with a pure replay of the events up to where it stands, byte for byte. */
export async function compareWithReplay(
  pool: pg.Pool,
  projection: Projection,
  feeds: Feeds,
  options: { told: (progress: Progress) => unknown; signal: AbortSignal },
): Promise<Comparison> {
  await options.told({ read: 0, of: 0 }) // what comes keeps this process busy
  const live = await snapshot(pool, projection)
  const { rows, parked } = await replay(projection, feeds, { until: live.positions, ...options })
  const skipped = new Set([...parked.keys(), ...live.parked])
  const differing: string[] = []
  for (const [key, row] of rows) {
    if (skipped.has(key) || row === undefined) continue
    if (live.rows.get(key) !== digest(row)) differing.push(key)
  }
  for (const key of live.rows.keys())
    if (!skipped.has(key) && rows.get(key) === undefined) differing.push(key)
  return { rows: live.rows.size, differing: differing.sort(), parked: skipped.size }
}

const beginning: Position = { lastSeq: {}, nextOffset: null }
const pageSize = 5000

/** All rows, as digests, the positions and the parked keys of one moment. */
async function snapshot(pool: pg.Pool, { name, table, key }: Projection) {
  return inTransaction(
    pool,
    async client => {
      const positions = await loadPositions(client, name)
      const waiting = await client.query<{ key: string }>(
        'select distinct key from parked where projection = $1',
        [name],
      )
      const rows = new Map<string, string>()
      for (let after: string | undefined; ; ) {
        const page = await client.query<{ key: string; row: Row }>(
          `select ${key}::text as key, to_json(t) as row from ${table} t
           ${after === undefined ? '' : `where ${key} > $1`} order by ${key} limit ${pageSize}`,
          after === undefined ? [] : [after],
        )
        for (const { key, row } of page.rows) rows.set(key, digest(row))
        after = page.rows.at(-1)?.key
        if (after === undefined) break
      }
      return { positions, rows, parked: waiting.rows.map(({ key }) => key) }
    },
    'begin isolation level repeatable read read only',
  )
}

const digest = (row: Row) => createHash('sha256').update(canonicalJson(row)).digest('base64')

/** What of a delivery lies within the position. */
function upTo(delivery: Delivery, position: Position): Delivery {
  const events = delivery.events.filter(({ event }) => event.logseq <= (position.lastSeq[event.source] ?? 0))
  return { ...delivery, events }
}

function isDone(
  backlog: Backlog,
  positions: ReadonlyMap<string, Position>,
  until: ReadonlyMap<string, Position> | undefined,
): boolean {
  if (until === undefined) return backlog.caughtUp
  const missing = [...until].filter(([place, { lastSeq }]) =>
    Object.entries(lastSeq).some(
      ([source, last]) => (positions.get(place)?.lastSeq[source as keyof typeof lastSeq] ?? 0) < last,
    ),
  )
  if (missing.length > 0 && backlog.caughtUp)
    throw new Error(
      `The events end before the read model’s position in ${missing.map(([place]) => place).join(', ')}`,
    )
  return missing.length === 0
}
