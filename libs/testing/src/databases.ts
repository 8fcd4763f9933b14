import { randomUUID } from 'node:crypto'
import pg from 'pg'

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** A database of its own, in the run's Postgres or in another one. */
export async function testDatabase(name = 'test', cluster?: { url: string }): Promise<TestDatabase> {
  const { url } = cluster ?? ((await ask('/postgres')) as { url: string })
  const database = `${name.replace(/[^a-z0-9]+/gi, '_').toLowerCase()}_${randomUUID().slice(0, 8)}`
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  await admin(`create database ${database}`)
  const own = new URL(url)
  own.pathname = `/${database}`
  return { url: own.href, drop: () => admin(`drop database if exists ${database} with (force)`) }
}

/** Asks the test run's own process for a server, or for a worker's system; the first one to ask waits for its start. */
export async function ask(path: '/postgres' | '/kafka' | `/system/${string}`): Promise<unknown> {
  const servers = process.env.GRANTLOG_TEST_SERVERS
  if (servers === undefined)
    throw new Error('Tests with real servers run under libs/testing/jest.config.mjs: npm test')
  const response = await fetch(`${servers}${path}`)
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}
