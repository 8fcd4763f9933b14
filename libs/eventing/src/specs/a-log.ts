import { randomUUID } from 'node:crypto'
import type { Actor } from '@grantlog/contracts'
import { testDatabase } from '@grantlog/testing'
import pg from 'pg'
import type { Append } from '../append.js'
import { Connection } from '../connection.js'
import type { NewEvent } from '../decider.js'
import type { EventStore } from '../event-store.js'
import { createEventTables, eventTables } from '../tables.js'

/** A database of a service that has nothing but its event tables. */
export interface LogDatabase {
  readonly url: string
  readonly pool: pg.Pool
  /** Another pool on it: another process, as far as the database can tell. */
  another(options?: pg.PoolConfig): pg.Pool
  /** Ends every server process that runs, or last ran, a statement like this one. Returns how many. */
  kill(statement: string): Promise<number>
  drop(): Promise<void>
}

/**
 * @param options `cluster`: another Postgres than the run's; `segment`: how many events each of its segments holds, where that is to
 * be few
 */
export async function aLog(
  name = 'log',
  { cluster, segment }: { cluster?: { url: string }; segment?: number } = {},
): Promise<LogDatabase> {
  const { url, drop } = await testDatabase(name, cluster)
  const pools: pg.Pool[] = []
  const another = (options: pg.PoolConfig = {}) => {
    const pool = new pg.Pool({ connectionString: url, max: 20, Client: Connection, ...options })
    pool.on('error', () => undefined) // idle connections are killed on purpose
    pools.push(pool)
    return pool
  }
  const pool = another()
  await pool.query(segment === undefined ? createEventTables : eventTables(segment))
  return {
    url,
    pool,
    another,
    async kill(statement) {
      const { rowCount } = await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query ilike $1`,
        [`%${statement}%`],
      )
      return rowCount ?? 0
    },
    async drop() {
      await drop()
      await Promise.all(pools.filter(({ ended }) => !ended).map(pool => pool.end()))
    },
  }
}

export const operator: Actor = { type: 'operator', id: 'spec' }

/** A fact of the clients service, as good as any. */
export function suspended(clientId: string, reason = 'maintenance'): NewEvent {
  return { type: 'client.suspended', data: { clientId, reason } }
}

/** A fact of the revocation feed. */
export function revoked(
  id: string,
  issuedBefore: number | null = null,
  kind: 'client' | 'token' = 'client',
): NewEvent {
  return {
    type: 'token.revoked',
    data: { target: { kind, id }, issuedBefore, reason: 'client-suspended', cause: null },
  }
}

/** An append to the stream of a client. */
export function anAppend(
  store: EventStore,
  clientId: string,
  base: number,
  events: readonly NewEvent[] = [suspended(clientId)],
  time = new Date(),
): Append {
  return {
    streamId: `client-${clientId}`,
    base,
    events: store.prepare(events, { actor: operator, time }),
    state: { version: base + events.length },
    stateTag: 'spec',
  }
}

export const anId = () => randomUUID().slice(0, 12)
