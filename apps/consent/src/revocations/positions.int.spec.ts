import { Clock, migrate, openDatabase } from '@grantlog/platform'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { DataSource } from 'typeorm'
import { consent } from '../consent.service.js'
import type { ShownGrant } from '../projections/grants.projection.js'
import { Positions } from './positions.js'
import { positionsOf } from './positions-of-grants.js'

const resource = 'https://api.example/invoices'
const noon = Date.parse('2026-11-26T12:00:00Z')

class GivenClock extends Clock {
  at = 0
  override now(): Date {
    return after(this.at)
  }
}
const after = (seconds: number) => new Date(noon + seconds * 1000)

describe('positions of resource servers', () => {
  let database: TestDatabase
  let db: DataSource
  let clock: GivenClock
  let positions: Positions
  beforeAll(async () => {
    database = await testDatabase('positions')
    db = await openDatabase(database.url, 6, { migrations: [], ...consent.database })
    await migrate(db)
    for (const [id, audience] of [
      ['invoices', resource],
      ['notes', 'https://api.example/notes'],
    ])
      await db.query(
        `insert into api_view (api_id, audience, name, scopes, details_types, access_token_seconds, signing_alg, suspended, version)
         values ($1, $2, $1, '[]', '[]', 600, 'ES256', false, 1)`,
        [id, audience],
      )
  })
  afterAll(async () => {
    await db?.destroy()
    await database?.drop()
  })
  beforeEach(async () => {
    await db.query('truncate positions, positions_of_all')
    clock = new GivenClock()
    positions = new Positions(db, clock)
  })

  const report = (instance: string, seconds: number, clientId = 'api', of = resource) =>
    positions.report(clientId, { resource: of, instance, completeUntil: after(seconds) })
  const appliedAt = async (seconds: number) => {
    const heard = await positions.heardOf(resource)
    return heard && positions.applied(resource, heard, after(seconds))
  }

  it('of an API that nobody knows are refused, and of one that does not report nothing is claimed', async () => {
    expect(await report('a', 0, 'api', 'https://nobody.example')).toBe('unknown resource')
    expect(await positions.heardOf(resource)).toBeUndefined()
  })

  it('are as old as the process that is behind the others', async () => {
    clock.at = 10
    await report('a', 9.6)
    await report('b', 8.5)
    await report('of another API', 1, 'api', 'https://api.example/notes')
    expect(await positions.heardOf(resource)).toEqual({
      completeUntil: [after(8.5), after(9.6)],
      ageSeconds: 1.5,
    })
  })

  it('never go back', async () => {
    await report('a', 5)
    await report('a', 3)
    expect((await positions.heardOf(resource))?.completeUntil).toEqual([after(5)])
  })

  it('are each client’s own: none changes or ends another’s', async () => {
    await report('a', 5)
    await report('a', 3, 'somebody')
    await positions.withdraw('somebody', { resource, instance: 'b' })
    expect((await positions.heardOf(resource))?.completeUntil).toEqual([after(3), after(5)])
    await positions.withdraw('somebody', { resource, instance: 'a' })
    expect((await positions.heardOf(resource))?.completeUntil).toEqual([after(5)])
  })

  it('tell when the last process had applied a revocation, and that stays said', async () => {
    clock.at = 10.2
    await report('a', 10.1)
    await report('b', 7)
    expect(await appliedAt(8)).toEqual({ instances: 2, by: 1, since: undefined })
    clock.at = 12.7
    await report('b', 12.6)
    expect(await appliedAt(8)).toEqual({ instances: 2, by: 2, since: after(12) })
    clock.at = 30
    await report('a', 29)
    await report('b', 29)
    expect(await appliedAt(8)).toEqual({ instances: 2, by: 2, since: after(12) })
    // an event is stored a moment after the time that it bears
    expect(await appliedAt(28.5)).toEqual({ instances: 2, by: 0, since: undefined })
    expect(await appliedAt(28)).toMatchObject({ by: 2 })
  })

  it('count for a minute, and are forgotten after an hour by the next report', async () => {
    await report('a', 0)
    clock.at = 59
    await report('b', 59)
    expect((await positions.heardOf(resource))?.completeUntil).toHaveLength(2)
    clock.at = 60
    expect((await positions.heardOf(resource))?.completeUntil).toEqual([after(59)])
    // whoever was not heard for a minute holds nobody up
    await report('b', 60)
    expect(await appliedAt(50)).toEqual({ instances: 1, by: 1, since: after(60) })
    const left = async (table: string) => (await db.query(`select from ${table}`)).length
    expect(await left('positions')).toBe(2)
    clock.at = 3600
    await report('c', 0, 'api', 'https://api.example/notes')
    expect(await left('positions')).toBe(2)
    clock.at = 3660
    await report('c', 0, 'api', 'https://api.example/notes')
    expect(await left('positions')).toBe(1)
    expect(await left('positions_of_all')).toBe(2)
  })

  it('are of a thousand processes of a client at most; those go on', async () => {
    await db.query(
      `insert into positions select $1, 'api', 'i' || n, $2, $2 from generate_series(1, 1000) as n`,
      [resource, after(0)],
    )
    expect(await report('one more', 1)).toBe('too many')
    expect(await report('i1000', 1)).toBe('reported')
    expect(await report('one more', 1, 'another client')).toBe('reported')
  })

  it('of many processes at once are all kept, and what all have applied is what the last one had', async () => {
    clock.at = 100
    const instances = Array.from({ length: 40 }, (_, index) => index)
    await Promise.all(instances.map(index => report(`i${index}`, 50 + index)))
    expect(await appliedAt(49)).toMatchObject({ instances: 40, by: 40 })
    await Promise.all(instances.map(index => report(`i${index}`, 99)))
    expect(await appliedAt(98)).toEqual({ instances: 40, by: 40, since: after(100) })
  })

  describe('at the APIs of somebody’s grants', () => {
    const grant = (grant_id: string, api: 'invoices' | 'notes' | null, more: Partial<ShownGrant> = {}) =>
      ({
        grant_id,
        api_name: api,
        api_audience: api && `https://api.example/${api}`,
        revoked_at: null,
        expires_at: null,
        ...more,
      }) as ShownGrant
    const revoked = (id: string, secondsAgo: number) =>
      grant(id, 'invoices', { revoked_at: after(clock.at - secondsAgo).toISOString() })
    const told = async (...grants: ShownGrant[]) =>
      (await positionsOf(positions, grants, clock.seconds())).map(({ name, revoked }) =>
        [name, ...revoked.map(each => each.grant.grant_id)].join(' '),
      )
    beforeEach(() => {
      clock.at = 4000
    })

    it('are told of once each, by name, where one of them reports', async () => {
      const grants = [grant('1', 'notes'), grant('2', 'invoices'), grant('3', 'notes'), grant('4', null)]
      expect(await told(...grants)).toEqual([])
      await report('a', 3999)
      expect(await told(...grants)).toEqual(['invoices', 'notes'])
    })

    it('are told of with what was revoked within the hour, the latest first, and without what has expired', async () => {
      await report('a', 3999)
      expect(await told(revoked('1', 3599), revoked('2', 10), revoked('3', 3601))).toEqual(['invoices 2 1'])
      expect(await told(grant('1', 'invoices', { expires_at: clock.seconds() }))).toEqual([])
      const many = Array.from({ length: 7 }, (_, index) => revoked(String(index), index))
      expect(await told(...many)).toEqual(['invoices 0 1 2 3 4'])
    })

    it('are told of without it where they do not report', async () => {
      await report('a', 3999, 'api', 'https://api.example/notes')
      expect(await told(revoked('1', 10), grant('2', 'notes'))).toEqual(['invoices', 'notes'])
    })
  })
})
