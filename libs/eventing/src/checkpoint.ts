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
 * Begins a transaction that changes a read model. A statement of its own: what is read in the same one as a row that had to be
 * waited for is older than the row.
 */
export function beginAlone(projection: string): string {
  return `begin; select from projections where name = ${pg.escapeLiteral(projection)} for update`
}

/** Where the projection stands in a partition, and whether events of it are parked. */
export async function readCheckpoint(
  client: pg.ClientBase,
  projection: string,
  { topic, partition }: { topic: Topic; partition: number },
): Promise<Position & { readonly parks: boolean }> {
  const { rows } = await client.query<CheckpointRow & { parks: boolean }>({
    name: 'read-checkpoint',
    // in the index's order: an `exists` may be planned as a look through all that is parked
    text: `select c.positions, c.next_offset,
             (select true from parked k where k.projection = p.name order by k.key limit 1) is true as parks
           from projections p left join checkpoints c on c.projection = p.name and c.topic = $2 and c.partition = $3
           where p.name = $1`,
    values: [projection, topic, partition],
  })
  const [row] = rows
  if (row === undefined) throw new Error(`The projection ${projection} was never registered`)
  return { lastSeq: row.positions ?? {}, nextOffset: row.next_offset, parks: row.parks }
}

export async function saveCheckpoint(
  client: pg.ClientBase,
  projection: string,
  { topic, partition }: { topic: Topic; partition: number },
  position: Position,
): Promise<void> {
  await client.query({
    name: 'advance-checkpoint',
    text: `insert into checkpoints (projection, topic, partition, positions, next_offset) values ($1, $2, $3, $4, $5)
           on conflict (projection, topic, partition)
           do update set positions = excluded.positions, next_offset = excluded.next_offset`,
    values: [projection, topic, partition, JSON.stringify(position.lastSeq), position.nextOffset],
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
