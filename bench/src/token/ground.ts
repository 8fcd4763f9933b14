import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDatabase, startPostgres } from '@grantlog/servers'
import pg from 'pg'
import { pin } from '../processor.js'

/** What is measured runs on the one, its Postgres too; what asks it on the other. */
export const serverCore = 0
export const generatorCore = 1

/** What all targets stand on: one durable Postgres on the servers’ core. */
export interface Ground {
  /** For logs. */
  readonly folder: string
  /** Of the postmaster. */
  readonly postgresPid: number
  /** A new database. */
  database(name: string): Promise<Database>
  stop(): Promise<void>
}

export interface Database {
  readonly name: string
  readonly url: string
  /** A few connections of the bench’s own. */
  readonly pool: pg.Pool
}

/** @throws Error with a sentence where cores can not be told apart, or Postgres would not keep what it acknowledged */
export async function startGround(): Promise<Ground> {
  if (process.platform !== 'linux' || availableParallelism() < 2)
    throw new Error('This benchmark needs Linux and two cores: one for the servers, one for what asks them.')
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-bench-'))
  await chmod(folder, 0o755) // as root, Postgres runs as another user
  await pin(process.pid, serverCore) // where Postgres then starts
  const postgres = await startPostgres({
    dir: join(folder, 'postgres'),
    persistent: false,
    settings: { shared_buffers: '512MB', max_wal_size: '4GB' },
  })
  await pin(process.pid, generatorCore)
  const pools: pg.Pool[] = []
  return {
    folder,
    postgresPid: postgres.pid,
    async database(name) {
      await ensureDatabase(postgres.url('postgres'), name)
      const pool = new pg.Pool({ connectionString: postgres.url(name), max: 4 })
      pool.on('error', () => undefined) // an idle connection that the server's end cuts off
      pools.push(pool)
      await assertDurable(pool)
      return { name, url: postgres.url(name), pool }
    },
    async stop() {
      await Promise.all(pools.map(pool => pool.end()))
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
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
