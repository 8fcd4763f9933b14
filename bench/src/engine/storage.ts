import { type Figure, figure } from '../benchmark.js'
import type { Database } from './ground.js'

/** What an event takes of the disk, with all indexes and its share of the stream’s state. */
export async function measureStorage({ pool }: Database): Promise<Figure[]> {
  const { rows } = await pool.query<{ bytes: string; events: string }>(`
    select (select sum(pg_total_relation_size(relid)) from pg_partition_tree('events'))
        + pg_total_relation_size('streams') as bytes,
      (select count(*) from events) as events`)
  const { bytes, events } = rows[0] ?? {}
  return [figure('Store, tables and indexes', 'bytes/event', { ours: Number(bytes) / Number(events) }, {})]
}
