import {
  type Envelope,
  type RecordedEvent,
  recordedEvent,
  type Service,
  type Topic,
} from '@grantlog/contracts'
import pg from 'pg'
import { ChainBroken } from './errors.js'
import type { Projection } from './projection.js'
import type { Delivery, Position } from './transport/transport.js'

/** An event that a read model has not seen yet, as it came and as handlers read it. */
export interface FreshEvent {
  readonly envelope: Envelope
  readonly event: RecordedEvent
}

/**
 * Makes the projection known. Whoever applies to it takes this row first: one transaction at a time changes a read model.
 * @param teller who says from now on how it is: one that kept it before may wake up late
 */
export async function registerProjection(
  pool: pg.Pool,
  { name, table, security }: Projection,
  teller: string,
): Promise<void> {
  await pool.query(
    `insert into projections (name, read_model, security, told_by) values ($1, $2, $3, $4)
     on conflict (name) do update
       set read_model = excluded.read_model, security = excluded.security, told_by = excluded.told_by`,
    [name, table, security, teller],
  )
}

/**
 * Begins a transaction that changes a read model. Taking its row is a statement of its own: what is read in the same one as a row
 * that had to be waited for is older than the row. The commit does not wait for the disk: after a crash the rows and their
 * checkpoint are as they were together, and the events come again.
 */
export function beginAlone(projection: string): string {
  return `begin; set local synchronous_commit to off; select from projections where name = ${pg.escapeLiteral(projection)} for update`
}

/** Where the projection stands in some partitions, by `topic:partition`, and whether events of it are parked. */
export async function readCheckpoints(
  client: pg.ClientBase,
  projection: string,
  places: readonly { readonly topic: Topic; readonly partition: number }[],
): Promise<{ positions: Map<string, Position>; parks: boolean }> {
  const { rows } = await client.query<CheckpointRow & { topic: Topic; partition: number; parks: boolean }>({
    name: 'read-checkpoints',
    // in the index's order: an `exists` may be planned as a look through all that is parked
    text: `select w.topic, w.partition, c.positions, c.next_offset,
             (select true from parked k where k.projection = p.name order by k.key limit 1) is true as parks
           from projections p cross join unnest($2::text[], $3::int[]) as w (topic, partition)
           left join checkpoints c on c.projection = p.name and c.topic = w.topic and c.partition = w.partition
           where p.name = $1`,
    values: [projection, places.map(({ topic }) => topic), places.map(({ partition }) => partition)],
  })
  if (rows.length === 0) throw new Error(`The projection ${projection} was never registered`)
  return { positions: positionsOf(rows), parks: rows.some(({ parks }) => parks) }
}

export async function saveCheckpoints(
  client: pg.ClientBase,
  projection: string,
  positions: ReadonlyMap<string, Position>,
): Promise<void> {
  const places = [...positions].map(([place, position]) => ({ place: place.split(':'), ...position }))
  await client.query({
    name: 'advance-checkpoints',
    text: `insert into checkpoints (projection, topic, partition, positions, next_offset)
           select $1, w.topic, w.partition, w.positions::jsonb, w.next_offset
           from unnest($2::text[], $3::int[], $4::text[], $5::bigint[]) as w (topic, partition, positions, next_offset)
           on conflict (projection, topic, partition)
           do update set positions = excluded.positions, next_offset = excluded.next_offset`,
    values: [
      projection,
      places.map(({ place }) => place[0]),
      places.map(({ place }) => Number(place[1])),
      places.map(({ lastSeq }) => JSON.stringify(lastSeq)),
      places.map(({ nextOffset }) => nextOffset),
    ],
  })
}

/** Where the projection stands, by `topic:partition`. */
export async function loadPositions(
  db: pg.Pool | pg.ClientBase,
  projection: string,
): Promise<Map<string, Position>> {
  const { rows } = await db.query<CheckpointRow & { topic: Topic; partition: number }>(
    'select topic, partition, positions, next_offset from checkpoints where projection = $1',
    [projection],
  )
  return positionsOf(rows)
}

function positionsOf(
  rows: readonly (CheckpointRow & { topic: Topic; partition: number })[],
): Map<string, Position> {
  return new Map(
    rows.map(({ topic, partition, positions, next_offset }) => [
      `${topic}:${partition}`,
      { lastSeq: positions ?? {}, nextOffset: next_offset },
    ]),
  )
}

/** The events after the position, and the position after them. @throws ChainBroken when one is missing between them */
export function unseen(delivery: Delivery, before: Position): { fresh: FreshEvent[]; after: Position } {
  const lastSeq: Partial<Record<Service, number>> = { ...before.lastSeq }
  const fresh: FreshEvent[] = []
  for (const { event: envelope, previous } of delivery.events) {
    const { source, logseq } = envelope
    const last = lastSeq[source] ?? 0
    if (logseq <= last) continue
    if (previous !== last) throw new ChainBroken({ ...delivery, source }, last, { previous, logSeq: logseq })
    lastSeq[source] = logseq
    const event = recordedEvent(envelope)
    if (event) fresh.push({ envelope, event })
  }
  return { fresh, after: { lastSeq, nextOffset: delivery.nextOffset ?? before.nextOffset } }
}

interface CheckpointRow {
  positions: Position['lastSeq'] | null
  next_offset: string | null
}
