import { segmentSize } from '../tables.js'
import { bad, type Check, fine } from './finding.js'

const name = 'log'
const todo =
  'Nothing of Grantlog does this: somebody changed the tables by hand, or a disk failed. Restore the database from a backup.'

/** Whether the log runs from 1 to its end without a gap, every number names an event, and streams come in the order of their versions. */
export const logChain: Check = async ({ service, db }) => {
  const { rows } = await db.query<{
    numbers: number
    first: number
    last: number
    last_seq: number
    dangling: number
    disorder: string | null
    identity: boolean
    detached: number
    ends: number
  }>(`
    select count(*)::int as numbers, coalesce(min(log_seq), 0)::int as first, coalesce(max(log_seq), 0)::int as last,
      (select last_seq::int from sequencer) as last_seq,
      (
        select count(*)::int from log l
        where l.log_seq > (select detached_up_to from sequencer) and not exists (select from events e where e.position = l.position)
      ) as dangling,
      (
        select stream_id from (
          select e.stream_id, e.stream_version, lag(e.stream_version) over (partition by e.stream_id order by l.log_seq) as before
          from log l join events e using (position)
        ) o where before >= stream_version limit 1
      ) as disorder,
      coalesce((select max(position) from events), 0) <= (select last_value from events_position) as identity,
      (select detached_up_to::int from sequencer) as detached,
      (select max(next_position) - last_value from segments, events_position group by last_value)::int as ends
    from log where log_seq > (select detached_up_to from sequencer)`)
  const [found] = rows
  if (found === undefined) return []
  const { numbers, first, last, last_seq, dangling, disorder, identity, detached, ends } = found
  const findings = []
  if (last > 0 && (numbers !== last - detached || first !== detached + 1))
    findings.push(
      bad(
        name,
        service,
        'error',
        `the log has ${numbers} entries${detached > 0 ? ` after ${detached}` : ''}, but they run from ${first} to ${last}`,
        todo,
      ),
    )
  if (Math.max(last, detached) !== last_seq)
    findings.push(
      bad(name, service, 'error', `the log ends at ${last}, but the sequencer is at ${last_seq}`, todo),
    )
  if (dangling > 0) findings.push(bad(name, service, 'error', `${dangling} numbers name no event`, todo))
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
  if (!identity)
    findings.push(
      bad(
        name,
        service,
        'error',
        'the next position is taken already: no event can be appended',
        `Set the sequence: select setval('events_position', (select max(position) from events)).`,
      ),
    )
  if (ends < segmentSize / 2)
    findings.push(
      bad(
        name,
        service,
        'error',
        `there is room for ${ends} more events`,
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
