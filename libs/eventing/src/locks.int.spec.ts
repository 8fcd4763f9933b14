import { eventually, type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { Locks } from './locks.js'

const lease = 2000 // longer than a busy machine stands still

describe('locks', () => {
  const pools: pg.Pool[] = []
  const all: Locks[] = []
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase('locks')
  })
  afterAll(async () => {
    for (const locks of all) locks.close()
    await Promise.all(pools.map(pool => pool.end()))
    await database.drop()
  })

  function anInstance() {
    const pool = new pg.Pool({ connectionString: database.url, max: 2 })
    pool.on('error', () => undefined) // as TypeORM’s does: a connection that was ended while nobody used it is nobody’s failure
    pools.push(pool)
    const locks = new Locks(pool, lease)
    all.push(locks)
    return { pool, locks }
  }
  it('are held by one instance, for as long as it asks', async () => {
    const [one, two] = [anInstance(), anInstance()]
    expect(await one.locks.hold('a')).toBe(true)
    for (const until = Date.now() + 2 * lease; Date.now() < until; ) {
      expect(await one.locks.hold('a')).toBe(true)
      expect(await two.locks.hold('a')).toBe(false)
      await new Promise(resolve => setTimeout(resolve, lease / 10))
    }
    expect(await two.locks.hold('b')).toBe(true)
  })

  it('of an instance that is frozen pass to another, and the frozen one learns of it', async () => {
    const [frozen, two] = [anInstance(), anInstance()]
    expect(await frozen.locks.hold('c')).toBe(true)
    // a stopped process asks no more; its connection stays open
    await eventually(async () => expect(await two.locks.hold('c')).toBe(true))
    await eventually(() => expect(frozen.locks.holds('c')).toBe(false))
    expect(await frozen.locks.hold('c')).toBe(false)
  })

  it('are not believed to be held where the connection was lost meanwhile', async () => {
    const [one, two] = [anInstance(), anInstance()]
    expect(await one.locks.hold('d')).toBe(true)
    await two.pool.query(
      `select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
         and (classid::bigint << 32 | objid::bigint) = hashtextextended('d', 0)`,
    )
    expect(await two.locks.hold('d')).toBe(true)
    await eventually(async () => expect(await one.locks.hold('d')).toBe(false))
  })
})
