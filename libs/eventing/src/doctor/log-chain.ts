import { bad, type Check, fine } from './finding.js'

const name = 'log'
const todo =
  'Nothing of Grantlog does this: somebody changed the tables by hand, or a disk failed. Restore the database from a backup.'

/** Whether the log runs from 1 to its end without a gap, streams come in the order of their versions, and there is room for more. */
export const logChain: Check = async ({ service, db }) => {
  const { rows } = await db.query<{
    events: number
    first: number
    last: number
    end: number
    detached: number
    disorder: string | null
    room: number
    segment: number
  }>(`
    select count(e)::float8 as events, coalesce(min(e.log_seq), 0)::float8 as first, coalesce(max(e.log_seq), 0)::float8 as last,
      l.last_seq::float8 as end, l.detached_up_to::float8 as detached,
      (
        select stream_id from (
          select stream_id, stream_version, lag(stream_version) over (partition by stream_id order by log_seq) as before from events
        ) o where before >= stream_version limit 1
      ) as disorder,
      ((select max(s.last_seq) from segments s) - l.last_seq)::float8 as room,
      (select s.last_seq - s.first_seq from segments s order by number desc limit 1)::float8 as segment
    from log_end l left join events e on e.log_seq > l.detached_up_to group by l.last_seq, l.detached_up_to`)
  const [found] = rows
  if (found === undefined)
    return [
      bad(name, service, 'error', 'the row of log_end is missing', 'Restore the database from a backup.'),
    ]
  const { events, first, last, end, detached, disorder, room, segment } = found
  const findings = []
  if (last > 0 && (events !== last - detached || first !== detached + 1))
    findings.push(
      bad(
        name,
        service,
        'error',
        `the log has ${events} events${detached > 0 ? ` after ${detached}` : ''}, but they run from ${first} to ${last}`,
        todo,
      ),
    )
  if (Math.max(last, detached) !== end)
    findings.push(bad(name, service, 'error', `the log ends at ${last}, but its last number is ${end}`, todo))
  if (disorder !== null)
    findings.push(
      bad(
        name,
        service,
        'error',
        `the stream ${disorder} is not numbered in the order of its versions`,
        todo,
      ),
    )
  if (room < segment / 2)
    findings.push(
      bad(
        name,
        service,
        'error',
        `there is room for ${room} more events`,
        `Start an instance of ${service}, which adds segments; or run: select add_segments().`,
      ),
    )
  return findings.length > 0 ? findings : [fine(name, service, whole(last, detached))]
}

function whole(last: number, detached: number): string {
  if (detached > 0)
    return `the log runs from ${detached + 1} to ${Math.max(last, detached)} without a gap; what was before is in files`
  return last === 0 ? 'the log is empty' : `the log runs from 1 to ${last} without a gap`
}
