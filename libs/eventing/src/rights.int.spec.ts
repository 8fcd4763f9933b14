import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type pg from 'pg'
import { grantRights } from './rights.js'
import { aLog, type LogDatabase } from './specs/a-log.js'

let log: LogDatabase
let owner: pg.PoolClient
const role = 'rights_of_a_service'
beforeAll(async () => {
  log = await aLog('rights')
  owner = await log.pool.connect()
  await owner.query(`create role ${role}`)
})
afterAll(async () => {
  await owner.query(`drop owned by ${role}; drop role ${role}`)
  owner.release()
  await log.drop()
})

/** Does one thing as the role. @throws Error from Postgres */
async function asRole(statement: string): Promise<void> {
  await owner.query(`set role ${role}`)
  try {
    await owner.query(statement)
  } finally {
    await owner.query('reset role')
  }
}

it('takes from a role what it and everybody had: a function of its own would run with the owner’s rights', async () => {
  await owner.query(`grant create on schema public to public; grant update, delete on events to ${role}`)
  await asRole('create function planted() returns int language sql return 1; drop function planted')
  await grantRights(owner, role)
  for (const statement of [
    'create function planted() returns int language sql return 1',
    'create table planted ()',
    'update events set type = type',
    'delete from events',
  ])
    await expect(asRole(statement)).rejects.toMatchObject({ code: '42501' })
  await asRole('select from events')
})
