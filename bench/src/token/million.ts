import { randomUUID } from 'node:crypto'
import { pin } from '../processor.js'
import { type Database, generatorCore, serverCore } from './ground.js'
import { Requester, type Target } from './target.js'
import type { Work } from './works.js'

const familiesPerStatement = 20_000

/**
 * Fills a store with as many families as one that was really begun, each with an id of its own: the rows are those that the service
 * wrote. All have the same secret, so that any of them can be refreshed.
 * @returns their refresh tokens, in no order
 */
export async function fill(target: Target, database: Database, count: number): Promise<string[]> {
  const requester = new Requester(target)
  const [model = '', secret = ''] = (await requester.redeem(await target.code())).split('.')
  requester.close()
  const ids = Array.from({ length: count }, () => randomUUID())
  const left = ids.toSorted() // as one after the other finds its place in the indexes, it is there sooner
  const writer = async (core: number) => {
    const client = await database.pool.connect()
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await pin(rows[0]?.pid ?? 0, core)
    while (left.length > 0)
      await client.query(cloneFamily, [`family-${model}`, model, left.splice(0, familiesPerStatement)])
    client.release(true)
  }
  await Promise.all([serverCore, generatorCore].map(writer))
  await database.pool.query('vacuum analyze') // else Postgres does it while it is measured
  return ids.map(id => `${id}.${secret}`)
}

/** Refreshes all of the families in turns, each connection its own part of them. */
export function refreshAny(tokens: string[]): Work {
  const next: number[] = []
  return {
    name: 'Refresh of any family',
    unit: 'refreshes',
    prepare: async (_, requesters) => async (requester, connection) => {
      const turn = next[connection] ?? connection
      next[connection] = turn + requesters.length < tokens.length ? turn + requesters.length : connection
      tokens[turn] = await requester.refresh(tokens[turn] ?? '')
      return true
    },
  }
}

const cloneFamily = `
  with ids as (select id::text as id from unnest($3::uuid[]) id),
  cloned as (
    insert into streams (stream_id, base, version, state, state_tag, ends_at, deadline)
    select 'family-' || ids.id, s.base, s.version, replace(s.state::text, $2, ids.id)::json, s.state_tag, s.ends_at, s.deadline
    from streams s cross join ids where s.stream_id = $1
  ), numbered as (
    update log_end set last_seq = last_seq + (select count(*) from ids) * (select count(*) from events where stream_id = $1)
    returning last_seq
  )
  insert into events (log_seq, stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id, traceparent, time)
  select n.last_seq + 1 - row_number() over (order by ids.id, e.stream_version desc), 'family-' || ids.id, e.stream_version, gen_random_uuid(), e.type,
    replace(e.data::text, $2, ids.id)::json, e.internal, e.actor_type, e.actor_id, e.traceparent, e.time
  from numbered n, ids cross join events e where e.stream_id = $1`
