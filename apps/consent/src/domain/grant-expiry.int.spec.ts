import { EmbeddedTransport, Eventing } from '@grantlog/eventing'
import { migrate, openDatabase, poolOf } from '@grantlog/platform'
import { eventually, testDatabase } from '@grantlog/testing'
import { expect, it } from '@jest/globals'
import { consent } from '../consent.service.js'
import { grant } from './grant.js'

it('a grant expires by the service’s own doing, and “your grants” hears of it', async () => {
  const database = await testDatabase('grant-expiry')
  const db = await openDatabase(database.url, 6, { migrations: [], ...consent.database })
  await migrate(db)
  let time = 1_800_000_000
  const troubles: unknown[] = []
  const eventing = new Eventing({
    service: 'consent',
    projections: [],
    ...consent.events,
    pool: poolOf(db),
    remote: new EmbeddedTransport({}),
    report: error => void troubles.push(error),
    now: () => new Date(time * 1000),
  })
  const [grantId, ada, code] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()]
  await eventing.commands.run(
    grant,
    grantId,
    {
      type: 'approve',
      approval: {
        grantId,
        owner: { kind: 'person', id: ada },
        approvedBy: [ada],
        clientId: 'ledgerly',
        apiId: 'invoices',
        audience: 'https://api.example/invoices',
        scopes: ['invoices:read'],
        clientVersion: 1,
        apiVersion: 1,
        expiresAt: time + 1000,
      },
      code: { id: code, expiresAt: time + 60 },
    },
    { actor: { type: 'person', id: ada } },
  )
  time += 1000
  eventing.start()
  try {
    await eventually(async () =>
      expect(await db.query('select grant_id, expired_at, revoked_at from grant_view')).toEqual([
        { grant_id: grantId, expired_at: new Date(time * 1000).toISOString(), revoked_at: null },
      ]),
    )
    const events = await eventing.store.read(`grant-${grantId}`)
    expect(events.map(({ fact }) => fact.type)).toEqual([
      'grant.approved',
      'grant.code-issued',
      'grant.expired',
    ])
    expect(troubles).toEqual([])
  } finally {
    await eventing.stop()
    await db.destroy()
    await database.drop()
  }
})
