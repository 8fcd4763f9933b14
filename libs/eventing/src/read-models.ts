import type pg from 'pg'

/** How a read model is, as an operator sees it. */
export interface ReadModel {
  readonly projection: string
  readonly security: boolean
  /** Whether an instance keeps it at the moment. */
  readonly kept: boolean
  /** Whether it ever held everything that there was. */
  readonly caughtUp: boolean
  /** What waits to be applied, in the transport's own count (heartbeats on a topic count too). */
  readonly waiting: number
  /** Why it does not go on. */
  readonly trouble: string | null
  /** Keys with an event that could not be applied, the first twenty. */
  readonly parked: readonly { readonly key: string; readonly events: number; readonly error: string }[]
  readonly parkedKeys: number
}

/** All read models of the service whose database this is. */
export async function readModels(db: pg.Pool | pg.ClientBase): Promise<ReadModel[]> {
  const { rows } = await db.query<ReadModel>(`
    with waiting as (
      select projection, key, count(*)::int as events, (array_agg(error order by number))[1] as error
      from parked group by projection, key
    )
    select p.name as projection, p.security, p.caught_up as "caughtUp", p.waiting::int, p.trouble,
      exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
          and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('projection ' || p.name, 0)
      ) as kept,
      (select count(*)::int from waiting w where w.projection = p.name) as "parkedKeys",
      coalesce((
        select json_agg(json_build_object('key', w.key, 'events', w.events, 'error', w.error))
        from (select * from waiting w where w.projection = p.name order by key limit 20) w
      ), '[]') as parked
    from projections p where p.name not like '%#%' order by p.name`)
  return rows
}
