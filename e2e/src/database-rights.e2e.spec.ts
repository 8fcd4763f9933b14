import { type DatabaseName, databaseNames } from '@grantlog/launcher'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { type OwnSystem, startSystem } from './running-system.js'

let running: OwnSystem
beforeAll(async () => {
  running = await startSystem('embedded')
})
afterAll(() => running?.stop())

const writers = ['clients', 'consent', 'token'] as const

/** Does one thing as the role that a service runs as. @throws Error from Postgres */
async function as(service: DatabaseName, statement: string, database: DatabaseName = service) {
  const url = Object.assign(new URL(running.backbone.serviceUrl(service)), {
    pathname: new URL(running.backbone.databaseUrl(database)).pathname,
  })
  const db = new pg.Client({ connectionString: url.href })
  try {
    await db.connect()
    return await db.query(statement)
  } finally {
    await db.end()
  }
}

const denied = { code: '42501' }

describe.each(writers)('the role that %s runs as', service => {
  it.each([
    `update events set data = '{}'`,
    `update events set actor_id = actor_id where false`,
    'delete from events',
    'truncate events',
    `update events_1 set data = '{}'`,
    'delete from events_1',
    'truncate events_1',
    'insert into events_1 select * from events',
    'drop table events',
    'alter table events detach partition events_1',
    'alter table events disable trigger all',
    'create rule nothing as on insert to events do instead nothing',
    'update events set log_seq = log_seq + 1',
    'update log_end set detached_up_to = 1',
    'delete from log_end',
    'truncate log_end',
    'update segments set sha256 = null',
    'delete from migrations',
    'create table another ()',
    'create function add_segments() returns void language sql as $$ $$',
    `select create_segment(99, 98000001, 99000001)`,
    'set role postgres',
  ])('can not: %s', async statement => {
    await expect(as(service, statement)).rejects.toMatchObject(denied)
  })

  it('rebuilds no table that is no read model', async () => {
    for (const command of [
      `select create_beside('events', '00000000')`,
      `select drop_beside('streams', '00000000')`,
      `select drop_beside('client_view', 'x; drop table events')`,
      `select swap_beside('events', '00000000')`,
    ])
      await expect(as(service, command)).rejects.toMatchObject({
        message: expect.stringMatching(/is no read model/),
      })
  })

  it.each(databaseNames.filter(name => name !== service))('can not enter the database of %s', async other => {
    await expect(as(service, 'select 1', other)).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining('permission denied for database'),
    })
  })

  it('does all that the service does: events and their numbers are there, and were written by it', async () => {
    const { rows } = await as(
      service,
      'select count(*)::int as events, max(log_seq)::int as last from events',
    )
    expect(rows[0].events).toBeGreaterThan(0)
    expect(rows[0].events).toBe(rows[0].last)
    const { rows: tables } = await as(
      service,
      `select tablename from pg_tables where schemaname = 'public' and tableowner = current_user`,
    )
    expect(tables).toEqual([])
  })
})

it('the role that resource runs as enters no log', async () => {
  for (const service of writers)
    await expect(as('resource', 'select 1', service)).rejects.toMatchObject(denied)
})

it('the owner may: the denials above are of rights, not of mistakes', async () => {
  const db = new pg.Client({ connectionString: running.backbone.databaseUrl('token') })
  await db.connect()
  try {
    for (const statement of [
      `update events set data = '{}'`,
      `update events_1 set data = '{}'`,
      'delete from events',
      'truncate events',
      'create table another ()',
    ]) {
      await db.query('begin')
      await db.query(statement)
      await db.query('rollback')
    }
  } finally {
    await db.end()
  }
})
