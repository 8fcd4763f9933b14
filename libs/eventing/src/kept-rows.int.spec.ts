import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type pg from 'pg'
import { kept, ReadModelWatch } from './kept-rows.js'
import { createProjectionTable } from './projection.js'
import { writeRows } from './read-model.js'
import { rebuild } from './rebuild.js'
import { aLog, type LogDatabase } from './specs/a-log.js'
import { type ClientRow, suspensions } from './specs/a-projection.js'
import { inTransaction } from './transaction.js'

const projection = { ...suspensions(), keptInMemory: true }
const find = kept<ClientRow>(projection, {
  name: 'suspensions',
  text: 'select * from suspensions where client_id = any($1::text[])',
  keysOf: row => [row.client_id],
})

let log: LogDatabase
let pool: pg.Pool
let watch: ReadModelWatch

beforeEach(async () => {
  log = await aLog('kept_rows')
  await log.pool.query(createProjectionTable(projection))
  pool = log.another()
  watch = new ReadModelWatch(pool, () => undefined)
  watch.start()
  await eventually(() => expect(watch.answers('suspensions', 'any')).toBeDefined())
})
afterEach(async () => {
  await watch.stop()
  await log.drop()
})

/** How often the client was suspended, as this process knows; undefined where there is no row. */
const times = async () => (await find(pool, 'a'))[0]?.times

/** As another instance does it. */
const write = (times: number | undefined) =>
  inTransaction(log.pool, client =>
    writeRows(
      client,
      projection,
      new Map([['a', times === undefined ? undefined : { client_id: 'a', times, reason: null, last: 1 }]]),
    ),
  )

const answers = () => watch.answers('suspensions', 'suspensions')

/** From now on this process knows a row of another instance. */
async function knownSince(written: number): Promise<void> {
  const before = answers()
  await write(written)
  await eventually(() => expect(answers()).not.toBe(before))
  expect(await times()).toBe(written)
  await writeSilently(-1)
  expect(await times()).toBe(written)
}

/** So that nobody is told. */
const writeSilently = (times: number) => log.pool.query('update suspensions set times = $1', [times])

/** The server process that this process listens to. */
async function listener(): Promise<number> {
  const { rows } = await log.pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query in ('select', 'listen grantlog_changed')`,
  )
  expect(rows).toHaveLength(1)
  return rows[0]?.pid ?? 0
}

it('a row is read once, until another instance writes the read model', async () => {
  await knownSince(1)
  await write(2)
  await eventually(async () => expect(await times()).toBe(2))
  await knownSince(3)
  await write(undefined)
  await eventually(async () => expect(await times()).toBeUndefined())
})

it('what is not there is asked for each time', async () => {
  expect(await times()).toBeUndefined()
  await log.pool.query("insert into suspensions values ('a', 1, null, 1)")
  expect(await times()).toBe(1)
})

it('an answer that was on its way while the read model changed is not kept', async () => {
  const before = answers()
  const holder = await log.pool.connect()
  await holder.query("insert into suspensions values ('a', 1, null, 1)")
  await holder.query('begin; lock table suspensions')
  const late = times()
  await log.pool.query("select pg_notify('grantlog_changed', 'suspensions')")
  await eventually(() => expect(answers()).not.toBe(before))
  await holder.query('commit')
  holder.release()
  expect(await late).toBe(1)
  await writeSilently(2)
  expect(await times()).toBe(2)
})

it('a read model that takes another’s place is read anew', async () => {
  await knownSince(1)
  await log.pool.query('insert into projections (name, read_model, security) values ($1, $2, true)', [
    projection.name,
    projection.table,
  ])
  const remote = {
    subscribe: async () => ({ places: [], stop: async () => undefined }),
    close: async () => undefined,
  }
  const empty = { service: 'token', local: undefined, remote } as const
  await rebuild(pool, projection, empty, {
    told: async () => undefined,
    stillAsked: async () => true,
    signal: new AbortController().signal,
  })
  await eventually(async () => expect(await times()).toBeUndefined())
})

it('nothing is trusted once the connection broke, until the database is heard again', async () => {
  await knownSince(1)
  await log.pool.query('select pg_terminate_backend($1)', [await listener()])
  await eventually(async () => expect(await times()).toBe(-1))
  await eventually(() => expect(answers()).toBeDefined())
  await knownSince(2)
})

it('nothing is trusted while the database says nothing', async () => {
  await knownSince(1)
  const pid = await listener()
  process.kill(pid, 'SIGSTOP')
  try {
    await write(2)
    await eventually(async () => expect(await times()).toBe(2))
  } finally {
    process.kill(pid, 'SIGCONT')
  }
})
