import type pg from 'pg'

/** The log is a copy that was made in another cluster, where it may have gone on: what is appended here could get the same numbers. */
export class RestoredLog extends Error {
  override readonly name = 'RestoredLog'
  constructor() {
    super(
      'This log was restored from another Postgres cluster: nothing is appended to it until grantlog doctor --repair has run',
    )
  }
}

/** SQL, of `log_end`: whether its last append was of a transaction that this cluster has not come to. */
export const isRestored = 'xid >= pg_snapshot_xmax(pg_current_snapshot())'

/** @throws RestoredLog */
export async function assertNotRestored(db: pg.Pool | pg.ClientBase): Promise<void> {
  const { rows } = await db.query<{ restored: boolean }>(`select ${isRestored} as restored from log_end`)
  if (rows[0]?.restored === true) throw new RestoredLog()
}
