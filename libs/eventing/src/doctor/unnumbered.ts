import { lockIsHeld } from '../hold.js'
import { bad, type Check, fine } from './finding.js'

const name = 'numbering'
const alarmSeconds = 10

/** Committed events that wait for a number, how long, and for whom. */
export const unnumbered: Check = async ({ service, db }) => {
  const { rows } = await db.query<{
    waiting: number
    age: number | null
    owned: boolean
    pid: number | null
    application: string | null
    database: string | null
    since: number | null
  }>(`
    with waiting as (
      select count(*)::int as waiting, extract(epoch from clock_timestamp() - min(e.time))::int as age, min(e.xid::text::bigint) as xid
      from sequencer s join events e on e.xid >= s.numbered_below and e.position > s.restored_up_to
      where not exists (select from log l where l.position = e.position)
    )
    select w.waiting, w.age, ${lockIsHeld('log')} as owned, holder.*
    from waiting w left join lateral (
      select a.pid, a.application_name as application, a.datname as database,
        extract(epoch from clock_timestamp() - a.xact_start)::int as since
      from pg_stat_activity a
      where a.backend_xid is not null and a.pid <> pg_backend_pid() and age(a.backend_xid) >= age(w.xid::text::xid8::xid)
      order by age(a.backend_xid) desc limit 1
    ) holder on w.waiting > 0`)
  const [found] = rows
  if (found === undefined || found.waiting === 0) return [fine(name, service, 'every event has its number')]
  const age = found.age ?? 0
  const what = `${found.waiting} committed events have no number yet; the oldest waits ${age} s`
  if (age < alarmSeconds) return [fine(name, service, what)]
  if (found.pid !== null)
    return [
      bad(
        name,
        service,
        'error',
        `${what}: a transaction of process ${found.pid} (${found.application || 'no name'}, database ${found.database}) is open for ${found.since} s`,
        `End that transaction: select pg_terminate_backend(${found.pid}), or commit it.`,
      ),
    ]
  return [
    bad(
      name,
      service,
      'error',
      what,
      found.owned
        ? `An instance of ${service} owns the log and does not number: read its log lines, and the other findings here.`
        : `No instance of ${service} numbers the log: start one.`,
    ),
  ]
}
