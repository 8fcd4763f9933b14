import {
  type Envelope,
  eventLine,
  parseEventLine,
  type RecordedEvent,
  recordedEvent,
} from '@grantlog/contracts'
import type pg from 'pg'
import { beginAlone, type FreshEvent, readCheckpoints, saveCheckpoints, unseen } from './checkpoint.js'
import { HandlerFailed } from './errors.js'
import { fold, keyOf, type Projection, type Row } from './projection.js'
import { changedChannel } from './tables.js'
import { inTransaction } from './transaction.js'
import type { Delivery, Position } from './transport/transport.js'

/** An event that waits: the one that could not be applied, with the reason, or one of the same key behind it, without. */
export interface ParkedEvent {
  readonly key: string
  readonly envelope: Envelope
  readonly error: string | null
}

/**
 * Applies deliveries to a read model in one transaction: take the projection's row, drop what was seen, refuse a gap, apply
 * set-wise, advance. An event that can not be applied stops a security projection; in any other its key is parked, and later
 * events of the key wait behind it.
 * @returns where the projection stands in the partition of each now
 * @throws ChainBroken when an event is missing; whatever the handler or the database says of an event that stops it
 */
export async function applyDeliveries(
  pool: pg.Pool,
  projection: Projection,
  deliveries: readonly Delivery[],
): Promise<Position[]> {
  const apply = (apply: typeof applyOneByOne) =>
    inTransaction(
      pool,
      async (client, commit) => {
        const [{ positions, parks }, rows] = await Promise.all([
          readCheckpoints(client, projection.name, deliveries),
          readRows(client, projection, keysOf(projection, deliveries.flatMap(eventsOf))),
        ])
        const found = deliveries.map(delivery => {
          const place = `${delivery.topic}:${delivery.partition}`
          const { fresh, after } = unseen(delivery, positions.get(place) ?? { lastSeq: {}, nextOffset: null })
          positions.set(place, after)
          return { fresh, after }
        })
        const fresh = found.flatMap(({ fresh }) => fresh)
        await apply(client, projection, parks ? await queue(client, projection, fresh) : fresh, {
          rows,
          finish: () => Promise.all([saveCheckpoints(client, projection.name, positions), commit()]),
        })
        return found.map(({ after }) => after)
      },
      beginAlone(projection.name),
    )
  try {
    return await apply(applySetWise)
  } catch (error) {
    if (projection.security || !isOfTheEvent(error)) throw error
    return apply(applyOneByOne)
  }
}

/**
 * Tries the parked events of a key again, in order, up to the first that still can not be applied.
 * @param told hears, within the transaction, how many were applied and why the rest still waits
 * @throws RangeError when nothing is parked under the key
 */
export function retryParked(pool: pg.Pool, projection: Projection, key: string, told: Told): Promise<void> {
  return inTransaction(
    pool,
    async client => told(client, await retry(client, projection, await parkedUnder(client, projection, key))),
    beginAlone(projection.name),
  )
}

/** Leaves out the event that could not be applied, for good, and tries those behind it. As `retryParked` otherwise. */
export function skipParked(pool: pg.Pool, projection: Projection, key: string, told: Told): Promise<void> {
  return inTransaction(
    pool,
    async client => {
      const [first, ...behind] = await parkedUnder(client, projection, key)
      await client.query('delete from parked where number = $1', [first?.number])
      await told(client, await retry(client, projection, behind))
    },
    beginAlone(projection.name),
  )
}

type Told = (client: pg.ClientBase, retried: Retried) => Promise<void>

interface Retried {
  readonly applied: number
  readonly error: string | undefined
}

interface ParkedRow {
  readonly number: string
  readonly event: string
}

async function parkedUnder(client: pg.ClientBase, { name }: Projection, key: string): Promise<ParkedRow[]> {
  const { rows } = await client.query<ParkedRow>(
    'select number, event from parked where projection = $1 and key = $2 order by number',
    [name, key],
  )
  if (rows.length === 0) throw new RangeError(`No event of ${name} is parked under the key “${key}”`)
  return rows
}

async function retry(
  client: pg.ClientBase,
  projection: Projection,
  parked: readonly ParkedRow[],
): Promise<Retried> {
  for (const [applied, { number, event: line }] of parked.entries()) {
    const envelope = parseEventLine(line)
    const event = recordedEvent(envelope)
    const error =
      event && (await failure(client, () => applySetWise(client, projection, [{ envelope, event }])))
    if (error !== undefined) {
      await client.query('update parked set error = $2 where number = $1', [number, error])
      return { applied, error }
    }
    await client.query('delete from parked where number = $1', [number])
  }
  return { applied: parked.length, error: undefined }
}

interface Applying {
  /** The rows that the events may concern, as they are in the transaction. */
  readonly rows: Map<string, Row | undefined>
  /** Asks for what goes to the server together with the last statements. */
  finish(): Promise<unknown>
}

/** Three statements, however many events: read the rows concerned, write those that are there after, remove the others. */
async function applySetWise(
  client: pg.ClientBase,
  projection: Projection,
  fresh: readonly FreshEvent[],
  applying?: Applying,
): Promise<void> {
  const events = fresh.map(({ event }) => event)
  const keys = keysOf(projection, events)
  const rows = applying?.rows ?? (await readRows(client, projection, keys))
  fold(projection, rows, events)
  const changed = new Map(keys.map(key => [key, rows.get(key)]))
  await Promise.all([writeRows(client, projection, changed), applying?.finish()])
}

const eventsOf = ({ events }: Delivery) =>
  events.map(({ event }) => recordedEvent(event)).filter(event => event !== undefined)

function keysOf(projection: Projection, events: readonly RecordedEvent[]): string[] {
  return [...new Set(events.map(event => keyOf(projection, event)).filter(key => key !== undefined))]
}

async function readRows(
  client: pg.ClientBase,
  { table, key }: Projection,
  keys: readonly string[],
): Promise<Map<string, Row | undefined>> {
  if (keys.length === 0) return new Map()
  const { rows } = await client.query<{ key: string; row: Row }>(
    `select ${key}::text as key, to_json(t) as row from ${table} t where ${key} = any($1)`,
    [keys],
  )
  return new Map(rows.map(({ key, row }) => [key, row]))
}

/** Writes rows and removes those that are undefined; all is asked before it first waits. */
export async function writeRows(
  client: pg.ClientBase,
  projection: Projection,
  rows: ReadonlyMap<string, Row | undefined>,
): Promise<void> {
  const { table, key, columns } = projection
  const kept = [...rows.values()].filter(row => row !== undefined)
  const gone = [...rows].filter(([, row]) => row === undefined).map(([key]) => key)
  const names = Object.keys(columns)
  const insert = `
    insert into ${table} (${names}) select ${names} from json_populate_recordset(null::${table}, $1)
    on conflict (${key}) do update set ${names.map(name => `${name} = excluded.${name}`)}`
  await Promise.all([
    kept.length > 0 && client.query(insert, [JSON.stringify(kept)]),
    gone.length > 0 && client.query(`delete from ${table} where ${key} = any($1)`, [gone]),
    rows.size > 0 && tellChanged(client, projection),
  ])
}

/** Tells whoever keeps rows of the read model in memory, with the end of the transaction. */
export async function tellChanged(
  client: pg.ClientBase,
  { table, keptInMemory = false }: Projection,
): Promise<void> {
  if (keptInMemory) await client.query('select pg_notify($1, $2)', [changedChannel, table])
}

/** The slow way, once something in a batch could not be applied: finds it, and parks it. */
async function applyOneByOne(
  client: pg.ClientBase,
  projection: Projection,
  fresh: readonly FreshEvent[],
  { finish }: Applying,
): Promise<void> {
  const parked = new Set<string>()
  for (const each of fresh) {
    const key = keyOf(projection, each.event)
    if (key === undefined) continue
    const error = parked.has(key)
      ? null
      : await failure(client, () => applySetWise(client, projection, [each]))
    if (error === undefined) continue
    parked.add(key)
    await park(client, projection, [{ key, envelope: each.envelope, error }])
  }
  await finish()
}

/** Parks what belongs behind events that wait already, and returns the rest. */
async function queue(
  client: pg.ClientBase,
  projection: Projection,
  fresh: readonly FreshEvent[],
): Promise<FreshEvent[]> {
  const keyed = fresh.map(each => ({ key: keyOf(projection, each.event), ...each }))
  const { rows } = await client.query<{ key: string }>(
    'select distinct key from parked where projection = $1 and key = any($2)',
    [projection.name, keyed.map(({ key }) => key)],
  )
  const waiting = new Set<string | undefined>(rows.map(({ key }) => key))
  await park(
    client,
    projection,
    keyed.flatMap(({ key, envelope }) =>
      key !== undefined && waiting.has(key) ? [{ key, envelope, error: null }] : [],
    ),
  )
  return keyed.filter(({ key }) => !waiting.has(key))
}

/** Parks events, in order. */
export async function park(
  client: pg.ClientBase,
  projection: Projection,
  events: readonly ParkedEvent[],
): Promise<void> {
  await client.query(
    `insert into parked (projection, key, event, error)
     select $1, p.key, p.event, p.error
     from unnest($2::text[], $3::text[], $4::text[]) with ordinality as p (key, event, error, n) order by n`,
    [
      projection.name,
      events.map(({ key }) => key),
      events.map(({ envelope }) => eventLine(envelope)),
      events.map(({ error }) => error),
    ],
  )
}

/** Why the event could not be applied; undefined when it was. What the work did is undone then. */
async function failure(client: pg.ClientBase, work: () => Promise<void>): Promise<string | undefined> {
  await client.query('savepoint event')
  try {
    await work()
    await client.query('release savepoint event')
    return undefined
  } catch (error) {
    if (!isOfTheEvent(error)) throw error
    await client.query('rollback to savepoint event')
    return String(error)
  }
}

/** Whether it is the event, or what its handler made of it, that can not be applied: trying again would not help. */
function isOfTheEvent(error: unknown): boolean {
  if (error instanceof HandlerFailed) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(22|23)...$/.test(code) // data exception, integrity constraint violation
}
