import type pg from 'pg'
import { isRestored } from '../restored.js'
import { bad, type Check, fine } from './finding.js'

const name = 'cluster'

/** Whether the log was written in this cluster: a dump carries the transaction ids of the cluster where it was taken. */
export const restored: Check = async ({ service, db }) => {
  const { rows } = await db.query<{ restored: boolean; xid: string; next: string }>(
    `select ${isRestored} as restored, xid::text, pg_snapshot_xmax(pg_current_snapshot())::text as next from log_end`,
  )
  const [found] = rows
  if (found?.restored !== true) return [fine(name, service, 'the log was written in this cluster')]
  return [
    bad(
      name,
      service,
      'error',
      `the log was restored from another cluster: its last transaction was ${found.xid}, and this cluster’s next one is ${found.next}. Nothing is appended to it`,
      'Stop the service, see that no other copy of this log is written to, and run grantlog doctor --repair: it changes no event.',
    ),
  ]
}

/** Makes a restored log one of this cluster. */
export async function repairRestored(db: pg.ClientBase): Promise<void> {
  await db.query('update log_end set xid = pg_current_xact_id()')
}
