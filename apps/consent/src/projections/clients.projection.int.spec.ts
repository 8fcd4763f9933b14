import { definitionOf, type EventType, type RecordedEvent } from '@grantlog/contracts'
import { fold, type Projection, type Row } from '@grantlog/eventing'
import { migrate, openDatabase } from '@grantlog/platform'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { DataSource } from 'typeorm'
import { consent } from '../consent.service.js'
import { clients, findClient } from './clients.projection.js'
import { type GrantRow, grants, grantsOf } from './grants.projection.js'

const ada = '0199aa00-0000-7000-8000-000000000ada'
const deletedAt = '2027-01-01T12:00:00.250Z'
const deletedSeconds = Math.floor(Date.parse(deletedAt) / 1000)

describe('a client that was deleted', () => {
  let database: TestDatabase
  let db: DataSource
  beforeAll(async () => {
    database = await testDatabase('deleted-clients')
    db = await openDatabase(database.url, 2, { migrations: [], ...consent.database })
    await migrate(db)
    await fill(clients, [
      about('client.registered', { clientId: 'gone', name: 'Gone Ledger' }),
      about('client.registered', { clientId: 'here', name: 'Ledgerly' }),
      about('client.deleted', { clientId: 'gone' }),
    ])
  })
  afterAll(async () => {
    await db?.destroy()
    await database?.drop()
  })

  const about = (type: EventType, change: object) =>
    ({
      type,
      time: deletedAt,
      streamVersion: 1,
      data: { ...definitionOf(type).example, ...change },
    }) as unknown as RecordedEvent

  async function fill(projection: Projection, events: RecordedEvent[]): Promise<void> {
    const rows = new Map<string, Row | undefined>()
    fold(projection, rows, events)
    for (const row of rows.values()) await store(projection, row)
  }

  const store = ({ table }: Projection, row: Row | undefined) =>
    db.query(`insert into ${table} select * from json_populate_record(null::${table}, $1)`, [
      JSON.stringify(row),
    ])

  it('is found by nobody, and nothing that could prove it to be itself is kept', async () => {
    expect(await findClient(db, 'gone')).toBeUndefined()
    expect(await findClient(db, 'here')).toMatchObject({ name: 'Ledgerly', deleted_at: null })
    expect(
      await db.query(`select verifiers, keys, certificates from client_view where client_id = 'gone'`),
    ).toEqual([{ verifiers: [], keys: [], certificates: [] }])
  })

  it('leaves its name to those who had allowed it something, which ended with it', async () => {
    const grant = (grant_id: string, client_id: string, more: Partial<GrantRow> = {}) =>
      store(grants, {
        grant_id,
        owner_kind: 'person',
        owner_id: ada,
        client_id,
        api_id: 'invoices',
        scopes: ['invoices:read'],
        approved_by: ada,
        approvers: [ada],
        approved_at: '2026-12-01T00:00:00.000Z',
        expires_at: null,
        revoked_by: null,
        revoked_at: null,
        expired_at: null,
        ...more,
      } satisfies GrantRow)
    const earlier = '2026-12-24T00:00:00.000Z'
    await grant('of-the-other', 'here')
    await grant('ends-by-revocation', 'gone')
    await grant('would-have-expired', 'gone', { expires_at: deletedSeconds + 1 })
    await grant('had-expired', 'gone', { expires_at: deletedSeconds, expired_at: deletedAt })
    await grant('was-revoked', 'gone', { revoked_at: earlier, revoked_by: ada })
    const shown = (await grantsOf(db, ada)).map(each => [each.grant_id, each.client_name, each.revoked_at])
    expect(shown[0]).toEqual(['of-the-other', 'Ledgerly', null])
    expect(shown.slice(1).sort()).toEqual([
      ['ends-by-revocation', 'Gone Ledger', deletedAt],
      ['had-expired', 'Gone Ledger', null],
      ['was-revoked', 'Gone Ledger', earlier],
      ['would-have-expired', 'Gone Ledger', deletedAt],
    ])
  })
})
