import { bad, type Check, fine } from './finding.js'

const name = 'streams'
const todo =
  'Nothing of Grantlog does this: somebody changed the tables by hand, or a disk failed. Restore the database from a backup.'

/** Whether every stream's versions run from 1 without a gap, and its row agrees with its events. */
export const streams: Check = async ({ service, db }) => {
  const { rows } = await db.query<{ stream_id: string; why: string; bad: number; streams: number }>(`
    with counted as (
      select stream_id, count(*) as events, min(stream_version) as first, max(stream_version) as last from events group by stream_id
    ), looked as (
      select coalesce(c.stream_id, s.stream_id) as stream_id, case
        when c.stream_id is null then 'has no events'
        when c.first <> 1 or c.events <> c.last then format('has %s events, versions %s to %s', c.events, c.first, c.last)
        when s.stream_id is null then 'has no row in streams'
        when s.version <> c.last then format('is at version %s, but its row says %s', c.last, s.version)
        when s.base < 0 or s.base >= s.version then format('has the base %s at version %s', s.base, s.version)
      end as why
      from counted c full join streams s using (stream_id)
      -- one that came back in part, with a segment, has no row until it is whole
      where s.stream_id is not null or not exists (select from segments where detached_at is not null)
    )
    select count(*) filter (where why is not null)::float8 as bad, count(*)::float8 as streams,
      min(stream_id) filter (where why is not null) as stream_id,
      (array_agg(why order by stream_id) filter (where why is not null))[1] as why
    from looked`)
  const [found] = rows
  if (found === undefined || found.bad === 0)
    return [fine(name, service, `the versions of ${found?.streams ?? 0} streams are complete`)]
  const more = found.bad > 1 ? `, and ${found.bad - 1} more are not right` : ''
  return [bad(name, service, 'error', `the stream ${found.stream_id} ${found.why}${more}`, todo)]
}
