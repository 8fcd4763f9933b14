import type pg from 'pg'
import { pipelined } from './connection.js'
import { sequencedChannel } from './tables.js'

/** What one look found. `pending`: rows are committed that have no number yet; without it, all that was committed before has one. */
export interface Sequenced {
  readonly numbered: number
  readonly lastSeq: number
  readonly pending: boolean
  /** All transactions below have ended, and their events have numbers. */
  readonly below: bigint
  /** The first transaction that had not begun yet. */
  readonly next: bigint
}

/**
 * Numbers committed events densely in an order that never changes: no reader of `log_seq` can meet a smaller number later.
 *
 * Position order is not commit order: a transaction may draw its position early and commit late. So only rows of transactions
 * below the snapshot's xmin are numbered, those that all have ended; the window of transaction ids is saved in the same
 * transaction, so that the next look starts where this one ended.
 *
 * In a cluster that a dump was restored into, the stored ids mean nothing: then it refuses until `doctor --repair` has numbered what
 * came along, and never looks at those rows again.
 * @param appended whether something is known to wait: then it need not look first
 * @throws RestoredLog
 */
export async function sequence(client: pg.ClientBase, appended = false): Promise<Sequenced> {
  pipelined(client)
  if (!appended) {
    const { waiting, below, last_seq } = await lookAt(client)
    if (!waiting)
      return {
        numbered: 0,
        lastSeq: Number(last_seq),
        pending: false,
        below: BigInt(below),
        next: BigInt(below),
      }
  }
  try {
    const [, { rows }] = await Promise.all([
      // two owners at once (one of them a zombie) take turns here, and each sees what the other saved
      client.query('begin; select from sequencer for update'),
      client.query<NumberedRow>({ name: 'sequencer-number', text: number }),
      client.query('commit'),
    ])
    const row = rows[0]
    if (row === undefined) {
      await lookAt(client)
      throw new Error('The log was not there for a moment') // restored while we looked
    }
    return {
      numbered: Number(row.numbered),
      lastSeq: Number(row.last_seq),
      pending: row.pending,
      below: BigInt(row.below),
      next: BigInt(row.next),
    }
  } catch (error) {
    await client.query('rollback').catch(() => undefined) // a broken connection has rolled back already
    throw error
  }
}

async function lookAt(client: pg.ClientBase): Promise<LookRow> {
  const { rows } = await client.query<LookRow>({ name: 'sequencer-look', text: look })
  const [found] = rows
  if (found === undefined) throw new Error('The sequencer’s row is missing: the event tables are damaged')
  if (found.foreign) throw new RestoredLog()
  return found
}

/** The stored transaction ids come from another cluster: numbering by them could hide events, or break their order. */
export class RestoredLog extends Error {
  override readonly name = 'RestoredLog'
  constructor() {
    super(
      'This log was restored from another Postgres cluster: nothing is numbered until grantlog doctor --repair has run',
    )
  }
}

interface LookRow {
  last_seq: string
  below: string
  waiting: boolean
  foreign: boolean
}

interface NumberedRow {
  last_seq: string
  numbered: string
  pending: boolean
  below: string
  next: string
}

// All that is visible lies below xmax, but for rows that were restored: without the bound they would be found, and passed over,
// at every look. So that the window stays narrow, it is moved along while nothing happens.
const look = `
  with border as materialized (
    select last_seq, numbered_below, restored_up_to, pg_current_snapshot() as now from sequencer
  )
  select b.last_seq, b.numbered_below as below, b.numbered_below > pg_snapshot_xmax(b.now) as foreign,
    exists (
      select from events e
      where e.xid >= b.numbered_below and e.xid < pg_snapshot_xmax(b.now) and e.position > b.restored_up_to
    ) or b.restored_up_to > 0
      and pg_snapshot_xmin(b.now)::text::bigint - b.numbered_below::text::bigint > 10000 as waiting
  from border b`

const number = `
  with border as materialized (
    select last_seq, numbered_below, restored_up_to, pg_snapshot_xmin(pg_current_snapshot()) as xmin,
      pg_snapshot_xmax(pg_current_snapshot()) as xmax
    from sequencer where numbered_below <= pg_snapshot_xmax(pg_current_snapshot())
  ), fresh as (
    select e.position, e.type || ':' || split_part(e.stream_id, '-', 1) as kind, b.last_seq + row_number() over (order by e.position) as log_seq
    from border b join events e on e.xid >= b.numbered_below and e.xid < b.xmin and e.position > b.restored_up_to
  ), numbered as (
    insert into log (log_seq, position) select log_seq, position from fresh order by log_seq returning log_seq
  )
  update sequencer s
  set last_seq = s.last_seq + (select count(*) from numbered), numbered_below = greatest(b.numbered_below, b.xmin)
  from border b
  returning s.last_seq, (select count(*) from numbered) as numbered,
    -- within the transaction: a NOTIFY of its own would be another one for the disk to take
    (select pg_notify('${sequencedChannel}', string_agg(kind, ' ')) from (select distinct kind from fresh) t having count(*) > 0) as told,
    exists (
      select from events e where e.xid >= b.xmin and e.xid < b.xmax and e.position > b.restored_up_to
    ) as pending, s.numbered_below as below, b.xmax as next`
