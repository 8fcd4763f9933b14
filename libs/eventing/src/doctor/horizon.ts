import type pg from 'pg'
import { bad, type Check, fine } from './finding.js'

const name = 'transaction-ids'

/** Whether the stored transaction ids are of this cluster: a dump carries those of the cluster where it was taken. */
export const horizon: Check = async ({ service, db }) => {
  const { rows } = await db.query<{ below: string; next: string; ahead: boolean; hidden: number }>(`
    select numbered_below as below, pg_snapshot_xmax(pg_current_snapshot()) as next,
      numbered_below > pg_snapshot_xmax(pg_current_snapshot()) or exists (
        select from events e where e.xid >= pg_snapshot_xmax(pg_current_snapshot()) and e.position > restored_up_to
      ) as ahead,
      (
        select count(*)::int from events e
        where (e.xid < numbered_below or e.position <= restored_up_to)
          and not exists (select from log l where l.position = e.position) and e.xid <> '0' -- such a one's number is in a file
      ) as hidden
    from sequencer`)
  const [found] = rows
  if (found === undefined)
    return [
      bad(name, service, 'error', 'the sequencer’s row is missing', 'Restore the database from a backup.'),
    ]
  const todo =
    'Stop the service, and run grantlog doctor --repair: it numbers what has no number, and changes no event.'
  const { below, next, ahead, hidden } = found
  const findings = []
  if (ahead)
    findings.push(
      bad(
        name,
        service,
        'error',
        `the log was restored from another cluster: its transaction ids reach beyond ${below}, and this cluster’s next one is ${next}. No event gets a number`,
        todo,
      ),
    )
  if (hidden > 0)
    findings.push(
      bad(name, service, 'error', `${hidden} events have no number, and would never get one`, todo),
    )
  return findings.length > 0
    ? findings
    : [fine(name, service, 'the stored transaction ids are this cluster’s own, and hide nothing')]
}

/**
 * Makes a restored log one of this cluster: numbers what has no number, in the order of positions, and passes over these rows
 * from then on, whatever transaction ids they carry. Event rows stay as they are.
 * @returns how many events got a number
 */
export async function repairHorizon(db: pg.ClientBase): Promise<number> {
  await db.query('begin')
  try {
    // nobody writes: a row that was under way would get a position that is passed over
    await db.query(`set local lock_timeout = '30s'`)
    await db.query('lock table events in share row exclusive mode')
    await db.query('select from sequencer for update')
    const { rowCount } = await db.query(
      `insert into log (log_seq, position)
       select s.last_seq + row_number() over (order by e.position), e.position
       from sequencer s, events e where not exists (select from log l where l.position = e.position) and e.xid <> '0'`,
    )
    await db.query(
      `update sequencer set last_seq = last_seq + $1, numbered_below = pg_snapshot_xmin(pg_current_snapshot()),
         restored_up_to = greatest(restored_up_to, (select max(position) from events))`,
      [rowCount],
    )
    await db.query('commit')
    return rowCount ?? 0
  } catch (error) {
    await db.query('rollback').catch(() => undefined) // a broken connection has rolled back already
    throw error
  }
}
