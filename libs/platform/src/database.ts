import pg from 'pg'
import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm'

export interface DatabaseDefinition {
  readonly entities?: readonly EntitySchema[]
  readonly migrations: readonly (new () => MigrationInterface)[]
}

/** Connects to the service's own database. @throws Error with a sentence that shows no password */
export async function openDatabase(
  url: string,
  poolSize: number,
  definition: DatabaseDefinition,
): Promise<DataSource> {
  const db = new DataSource({
    type: 'postgres',
    url,
    entities: [...(definition.entities ?? [])],
    migrations: [...definition.migrations],
    migrationsTransactionMode: 'all',
    poolSize,
    // a transaction left open, as by a frozen process, holds up the numbering of events for everybody
    extra: { idle_in_transaction_session_timeout: 5_000 },
  })
  try {
    return await db.initialize()
  } catch (error) {
    const { host, pathname } = new URL(url)
    throw new Error(
      `The database ${host}${pathname} can not be reached: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/**
 * A connection whose end does not end the process. What was asked on it fails, and so does what is asked next; but where the
 * server's last word comes with the answer before, whoever takes the connection from the pool is not listening yet.
 */
export class Connection extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    this.on('error', () => undefined)
  }
}

/** Brings the schema up to date. Instances that start at once take turns, and all but the first find nothing to do. */
export async function migrate(db: DataSource): Promise<number> {
  const pool = poolOf(db)
  const client = await pool.connect()
  try {
    await client.query(`select pg_advisory_lock(hashtextextended('migrations', 0))`)
    const done = await db.runMigrations()
    return done.length
  } finally {
    client.release(true) // the lock ends with its connection
  }
}

/** TypeORM's own pool: the event store speaks SQL through it. */
export function poolOf(db: DataSource): pg.Pool {
  if (!('master' in db.driver)) throw new Error('The data source is not connected to Postgres')
  return db.driver.master as pg.Pool
}
