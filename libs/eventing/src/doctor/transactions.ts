import { bad, type Check, fine } from './finding.js'

const sessions = 'idle-sessions'
const prepared = 'prepared-transactions'

/**
 * Sessions that sit in an open transaction: Postgres can not clean up behind it, and what one has written stays locked.
 * @param alarmSeconds how long one may
 */
export const idleSessions =
  (alarmSeconds = 30): Check =>
  async ({ service, db }) => {
    const { rows } = await db.query<{ pid: number; application: string; age: number; wrote: boolean }>(
      `select pid, coalesce(nullif(application_name, ''), 'no name') as application, backend_xid is not null as wrote,
       extract(epoch from clock_timestamp() - xact_start)::int as age
     from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'
       and clock_timestamp() - xact_start > make_interval(secs => $1)
     order by xact_start`,
      [alarmSeconds],
    )
    if (rows.length === 0) return [fine(sessions, service, 'no transaction is left open')]
    return rows.map(({ pid, application, age, wrote }) =>
      bad(
        sessions,
        service,
        wrote ? 'error' : 'warning',
        `process ${pid} (${application}) sits idle in a transaction for ${age} s${wrote ? ', and has written: whoever needs the same rows waits' : ''}`,
        `Find out what left it open, and end it: select pg_terminate_backend(${pid}).`,
      ),
    )
  }

/** Prepared transactions outlive every session, and keep their locks until somebody ends them. */
export const preparedTransactions: Check = async ({ service, db }) => {
  const { rows } = await db.query<{ gid: string; age: number }>(
    `select gid, extract(epoch from clock_timestamp() - prepared)::int as age from pg_prepared_xacts
     where database = current_database() order by prepared`,
  )
  if (rows.length === 0) return [fine(prepared, service, 'no transaction is prepared')]
  return rows.map(({ gid, age }) =>
    bad(
      prepared,
      service,
      'error',
      `the transaction “${gid}” is prepared for ${age} s: whoever needs the same rows waits`,
      `Grantlog prepares none. End it: rollback prepared '${gid}', or commit prepared.`,
    ),
  )
}
