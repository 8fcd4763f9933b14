import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { DataSource } from 'typeorm'
import { openDatabase } from './database.js'
import { createUsedOnceTable, UsedOnce } from './used-once.js'

describe('what may be used once', () => {
  let database: TestDatabase
  let db: DataSource
  let now: number
  const instance = () => new UsedOnce(db, () => now)
  const stored = async () => {
    const rows: unknown[] = await db.query('select from used_once')
    return rows.length
  }

  beforeEach(async () => {
    database = await testDatabase('once')
    db = await openDatabase(database.url, 4, { migrations: [] })
    await db.query(createUsedOnceTable)
    now = 1_800_000_000
  })
  afterEach(async () => {
    await db.destroy()
    await database.drop()
  })

  it('is used by the first who asks, in whichever instance, however many ask at once', async () => {
    const instances = [instance(), instance(), instance()]
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) => instances[n % 3]?.once(`id ${n % 10}`, now + 60)),
    )
    expect(answers.filter(Boolean)).toHaveLength(10)
    expect(await instance().once('id 3', now + 60)).toBe(false) // after a restart
    expect(await instance().once('id 10', now + 60)).toBe(true)
  })

  it('does not grow: what can no longer be presented is gone', async () => {
    const once = instance()
    for (let round = 0; round < 40; round++) {
      for (let n = 0; n < 10; n++) await once.once(`${round} ${n}`, now + 60 * n)
      expect(await once.once(`${round} 9`, now + 540)).toBe(false)
      now += 300
    }
    expect(await stored()).toBeLessThan(150) // of 400
    now += 86_400
    await once.once('last', now)
    now += 1800
    await once.once('last of all', now)
    expect(await stored()).toBeLessThan(60)
  })

  it('takes a time with a fraction (RFC 7519 §2)', async () => {
    const once = instance()
    expect(await once.once('id', now + 0.5)).toBe(true)
    expect(await once.once('id', now + 0.5)).toBe(false)
  })

  it('refuses what would be forgotten before it expires', () => {
    expect(() => instance().once('id', now + 901)).toThrow(RangeError)
  })

  it('is asked again after the database failed', async () => {
    const once = instance()
    await db.query('alter table used_once rename to elsewhere')
    await expect(once.once('id', now)).rejects.toThrow()
    await db.query('alter table elsewhere rename to used_once')
    expect(await once.once('id', now)).toBe(true)
  })
})
