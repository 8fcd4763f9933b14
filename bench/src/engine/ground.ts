import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection, createEventTables } from '@grantlog/eventing'
import { ensureDatabase, startKafka, startPostgres } from '@grantlog/servers'
import pg from 'pg'

/** What the engine stands on while it is measured: a durable Postgres and a Kafka, both of this run alone. */
export interface Ground {
  readonly brokers: readonly string[]
  /** A new database with the tables of a service’s log. */
  database(name: string): Promise<Database>
  stop(): Promise<void>
}

export interface Database {
  readonly url: string
  readonly pool: pg.Pool
  /** Another pool, as of another process. */
  another(max: number): pg.Pool
}

/** @throws Error with a sentence when Kafka or Postgres can not be had, or when Postgres would not keep what it acknowledged */
export async function startGround(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-bench-'))
  await chmod(folder, 0o755) // as root, Postgres runs as another user
  const pools: pg.Pool[] = []
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    await Promise.all(pools.splice(0).map(pool => pool.end()))
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const postgres = await startPostgres({ dir: join(folder, 'postgres'), persistent: false })
    ends.push(() => postgres.stop())
    const kafka = await startKafka({ dir: join(folder, 'kafka') })
    ends.push(() => kafka.stop())
    return {
      brokers: kafka.brokers,
      stop,
      async database(name) {
        await ensureDatabase(postgres.url('postgres'), name)
        const url = postgres.url(name)
        const another = (max: number) => {
          const pool = new pg.Pool({ Client: Connection, connectionString: url, max })
          pool.on('error', () => undefined) // an idle connection that the server's end cuts off
          pools.push(pool)
          return pool
        }
        const pool = another(10)
        await assertDurable(pool)
        await pool.query(createEventTables)
        return { url, pool, another }
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A rate without durability is no rate. */
async function assertDurable(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ fsync: string; commit: string }>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  )
  const { fsync, commit } = rows[0] ?? {}
  if (fsync !== 'on' || commit !== 'on')
    throw new Error(`Postgres runs with fsync=${fsync} and synchronous_commit=${commit}: it must be durable`)
}
