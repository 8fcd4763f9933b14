import { migrate, openDatabase } from '@grantlog/platform'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { DataSource } from 'typeorm'
import { Token1764000000000 } from '../migrations/1-token.js'
import type { TokenServices } from '../token-services.js'
import { isTooSoon } from './device-polls.js'

const start = 1_800_000_000
const deviceId = '0199aa00-0000-7000-8000-0000000000fd'

describe('how often a device may ask (RFC 8628 §3.5), counted in one database by all instances', () => {
  let database: TestDatabase
  let instances: DataSource[]
  beforeEach(async () => {
    database = await testDatabase('device-polls')
    const open = () => openDatabase(database.url, 2, { migrations: [Token1764000000000] })
    instances = [await open(), await open()]
    for (const db of instances.slice(0, 1)) await migrate(db)
  })
  afterEach(async () => {
    for (const db of instances) await db.destroy()
    await database.drop()
  })

  /** Polls some seconds after the start; each goes to the other instance than the one before. */
  async function polls(...seconds: number[]): Promise<boolean[]> {
    const answers: boolean[] = []
    for (const [index, after] of seconds.entries()) {
      const db = instances[index % 2] as DataSource
      const poll = { deviceId, expiresAt: start + 600, now: start + after }
      answers.push(await isTooSoon(poll, { db } as TokenServices))
    }
    return answers
  }

  it.each<[string, number[], boolean[]]>([
    ['every five seconds', [0, 5, 10, 15], [false, false, false, false]],
    ['a second of jitter', [0, 4, 9, 13], [false, false, false, false]],
    ['three seconds are too soon', [0, 3], [false, true]],
    ['then it is ten seconds, from then on', [0, 3, 13, 22, 30], [false, true, false, false, true]],
    ['at once, again and again', [0, 0, 0, 0], [false, true, true, true]],
    [
      'a minute at most, however rude it was',
      [0, ...Array.from({ length: 20 }, () => 1), 61],
      [false, ...Array.from({ length: 20 }, () => true), false],
    ],
  ])('%s', async (_, seconds, answers) => {
    expect(await polls(...seconds)).toEqual(answers)
  })

  it('once, of many at the same time', async () => {
    const poll = { deviceId, expiresAt: start + 600, now: start }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        isTooSoon(poll, { db: instances[index % 2] as DataSource } as TokenServices),
      ),
    )
    expect(answers.filter(tooSoon => !tooSoon)).toHaveLength(1)
  })

  it('of a code that has expired nothing is kept', async () => {
    await polls(0, 601)
    const other = {
      deviceId: '0199aa00-0000-7000-8000-0000000000fe',
      expiresAt: start + 900,
      now: start + 601,
    }
    const db = instances[0] as DataSource
    await isTooSoon(other, { db } as TokenServices)
    expect(await db.query('select device_id from device_polls')).toEqual([{ device_id: other.deviceId }])
  })
})
