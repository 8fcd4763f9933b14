import type { Service } from '@grantlog/contracts'
import type pg from 'pg'
import { EventsDetached } from './errors.js'

/** What of a log is in files. */
export interface Detached {
  /** The last number that is; 0 when all of the log is in the database. */
  readonly upTo: number
  /** The last number of each `topic:partition` that is. */
  readonly heads: ReadonlyMap<string, number>
  /** When the newest of these events was appended. */
  readonly newest: Date | null
}

export async function readDetached(db: pg.Pool | pg.ClientBase): Promise<Detached> {
  const { rows } = await db.query<{ up_to: string; heads: Record<string, number>[]; newest: Date | null }>(
    `select detached_up_to as up_to, s.* from log_end cross join lateral (
       select coalesce(json_agg(heads order by number) filter (where heads is not null), '[]') as heads, max(newest) as newest from segments
     ) s`,
  )
  const { up_to, heads, newest } = rows[0] ?? { up_to: 0, heads: [], newest: null }
  return { upTo: Number(up_to), heads: new Map(heads.flatMap(each => Object.entries(each))), newest }
}

/** @throws EventsDetached when events after the number are in files */
export async function assertAttached(
  db: pg.Pool | pg.ClientBase,
  source: Service,
  after: number,
): Promise<void> {
  const { rows } = await db.query<{ up_to: string }>('select detached_up_to as up_to from log_end')
  const upTo = Number(rows[0]?.up_to ?? 0)
  if (after < upTo) throw new EventsDetached(source, upTo)
}
