import { Connection, grantRights } from '@grantlog/eventing'
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
  connectMilliseconds = 10_000,
): Promise<DataSource> {
  const db = new DataSource({
    type: 'postgres',
    driver: pg, // it would look for it by its name, where the packages of a bundled program are not
    url,
    entities: [...(definition.entities ?? [])],
    migrations: [...definition.migrations],
    migrationsTransactionMode: 'all',
    poolSize,
    // a transaction left open, as by a frozen process, holds up the numbering of events for everybody
    extra: {
      Client: Connection,
      connectionTimeoutMillis: connectMilliseconds,
      idle_in_transaction_session_timeout: 5_000,
    },
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
 * Brings the schema up to date, and gives the role that the service runs as what it needs. Instances that start at once take turns,
 * and all but the first find nothing to do. Who does not own the schema can only find that it is up to date.
 * @returns how many migrations were run
 * @throws Error where somebody else has to run them
 */
export async function migrate(db: DataSource, role?: string): Promise<number> {
  const pool = poolOf(db)
  const used = new Set<Connection>()
  const bePatient = (client: pg.PoolClient) => {
    if (client instanceof Connection) used.add(Object.assign(client, { patient: true }))
  }
  pool.on('acquire', bePatient)
  const client = await pool.connect()
  try {
    await client.query(`select pg_advisory_lock(hashtextextended('migrations', 0))`)
    if (!(await ownsSchema(client))) {
      await assertUpToDate(db, client)
      return 0
    }
    const done = await db.runMigrations()
    if (role !== undefined) await grantRights(client, role)
    return done.length
  } finally {
    pool.off('acquire', bePatient)
    for (const connection of used) connection.patient = false
    client.release(true) // the lock ends with its connection
  }
}

async function ownsSchema(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ owns: boolean }>(
    `select has_schema_privilege('public', 'create') as owns`,
  )
  return rows[0]?.owns === true
}

async function assertUpToDate(db: DataSource, client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ known: boolean; user: string }>(
    `select coalesce(has_table_privilege(to_regclass('public.migrations'), 'select'), false) as known, current_user as user`,
  )
  if (rows[0]?.known !== true || (await db.showMigrations()))
    throw new Error(
      `The schema is not up to date, and ${rows[0]?.user} does not own it: run “node main.js migrate” with the owner’s DATABASE_URL, and DATABASE_ROLE=${rows[0]?.user}`,
    )
}

/** TypeORM's own pool: the event store speaks SQL through it. */
export function poolOf(db: DataSource): pg.Pool {
  if (!('master' in db.driver)) throw new Error('The data source is not connected to Postgres')
  return db.driver.master as pg.Pool
}
