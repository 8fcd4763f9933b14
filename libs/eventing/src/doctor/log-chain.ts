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
  }>(`
    select count(*)::int as numbers, coalesce(min(log_seq), 0)::int as first, coalesce(max(log_seq), 0)::int as last,
      (select last_seq::int from sequencer) as last_seq,
      (select count(*)::int from log l where not exists (select from events e where e.position = l.position)) as dangling,
      (
        select stream_id from (
          select e.stream_id, e.stream_version, lag(e.stream_version) over (partition by e.stream_id order by l.log_seq) as before
          from log l join events e using (position)
        ) o where before >= stream_version limit 1
      ) as disorder,
      coalesce((select max(position) from events), 0) <= coalesce(
        (select last_value from pg_sequences where format('%I.%I', schemaname, sequencename) = pg_get_serial_sequence('events', 'position')), 0
      ) as identity
    from log`)
  const [found] = rows
  if (found === undefined) return []
  const { numbers, first, last, last_seq, dangling, disorder, identity } = found
  const findings = []
  if (numbers !== last || (last > 0 && first !== 1))
    findings.push(
      bad(
        name,
        service,
        'error',
        `the log has ${numbers} entries, but they run from ${first} to ${last}`,
        todo,
      ),
    )
  if (last !== last_seq)
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
        `Set the sequence: select setval(pg_get_serial_sequence('events', 'position'), (select max(position) from events)).`,
      ),
    )
  return findings.length > 0
    ? findings
    : [fine(name, service, last === 0 ? 'the log is empty' : `the log runs from 1 to ${last} without a gap`)]
}
