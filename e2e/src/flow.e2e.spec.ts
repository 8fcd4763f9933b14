import { describeWithKafka } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient, publicClient, refreshUntilRefused, type TestClient } from './clients.js'
import { Ada, type OwnSystem, startTwice, twoOfEach, untilStatus } from './running-system.js'

function mainJob(transport: 'embedded' | 'kafka') {
  let running: OwnSystem
  beforeAll(async () => {
    running = await startTwice({}, transport, twoOfEach)
  })
  afterAll(() => running?.stop())

  const invoices = (accessToken: string, init: RequestInit = {}) =>
    fetch(running.audience, { ...init, headers: { ...init.headers, authorization: `Bearer ${accessToken}` } })
  const create = (accessToken: string) =>
    invoices(accessToken, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        customer: 'Babbage & Co',
        description: 'A difference engine',
        amount: 170_000,
        currency: 'GBP',
      }),
    })

  const faces: [string, (running: OwnSystem) => Promise<TestClient>][] = [
    ['confidential client (openid-client)', confidentialClient],
    ['public client (oauth4webapi)', publicClient],
  ]
  for (const [face, make] of faces) {
    for (const kind of ['person', 'organization'] as const) {
      it(`${face} for a ${kind}: ask, approve, read, be refused, refresh, be revoked by the owner, be denied`, async () => {
        const { demo } = running
        const client = await make(running)
        const ada = new Ada(running)
        const owner = kind === 'person' ? { kind, id: demo.person.id } : { kind, id: demo.company.id }

        const { result: tokens, log } = await running.logged(async () => {
          const callback = await ada.answer(
            await client.authorizationUrl('invoices:read'),
            client.redirectUri,
            {
              owner: `${owner.kind}:${owner.id}`,
            },
          )
          return client.redeem(callback)
        })
        expect(tokens.scope).toBe('invoices:read')
        expect(log.map(line => line.type)).toEqual(
          expect.arrayContaining(['grant.code-issued', 'code.redeemed', 'token.issued']),
        )

        const read = await untilStatus(200, () => invoices(tokens.accessToken))
        const body = (await read.json()) as { owner: object; invoices: unknown[] }
        expect(body.owner).toEqual(owner)
        expect(body.invoices.length).toBeGreaterThan(0)

        const refused = await create(tokens.accessToken)
        expect(refused.status).toBe(403)
        expect(await refused.json()).toMatchObject({ error: 'insufficient_scope' })
        expect(refused.headers.get('www-authenticate')).toContain('scope="invoices:write"')

        const refreshed = await client.refresh(tokens.refreshToken)
        expect(refreshed.refreshToken).not.toBe(tokens.refreshToken)
        expect((await invoices(refreshed.accessToken)).status).toBe(200)

        const issued = log.find(line => line.type === 'grant.code-issued')
        await ada.revokeOnGrantsPage(String(issued?.data.grantId))
        await untilStatus(401, () => invoices(refreshed.accessToken))
        await untilStatus(401, () => invoices(tokens.accessToken))
        await expect(refreshUntilRefused(client, refreshed.refreshToken)).resolves.toMatchObject({
          error: 'invalid_grant',
        })
      })
    }
  }

  it('a client that is allowed to write creates an invoice, revokes its token and is denied', async () => {
    const client = await confidentialClient(running)
    const ada = new Ada(running)
    const callback = await ada.answer(
      await client.authorizationUrl('invoices:read invoices:write'),
      client.redirectUri,
    )
    const tokens = await client.redeem(callback)
    const created = await untilStatus(201, () => create(tokens.accessToken))
    expect(await created.json()).toMatchObject({ customer: 'Babbage & Co', amount: 170_000 })
    await client.revoke(tokens.refreshToken)
    await untilStatus(401, () => invoices(tokens.accessToken))
  })

  it('a person who denies sends the client away with access_denied, and nothing is granted', async () => {
    const client = await publicClient(running)
    const { result: callback, log } = await running.logged(async () =>
      new Ada(running).answer(await client.authorizationUrl('invoices:write'), client.redirectUri, {
        decision: 'deny',
      }),
    )
    expect(callback.searchParams.get('error')).toBe('access_denied')
    expect(callback.searchParams.get('iss')).toBe(running.installation.url('token'))
    expect(log.map(line => line.type)).toEqual(['grant.denied'])
  })

  it('a person’s invoices are never a company’s', async () => {
    const client = await publicClient(running)
    const read = async (owner: string) => {
      const callback = await new Ada(running).answer(
        await client.authorizationUrl('invoices:read'),
        client.redirectUri,
        { owner },
      )
      const response = await untilStatus(200, async () =>
        invoices((await client.redeem(callback)).accessToken),
      )
      return ((await response.json()) as { invoices: { id: string }[] }).invoices.map(invoice => invoice.id)
    }
    const hers = await read(`person:${running.demo.person.id}`)
    const theirs = await read(`organization:${running.demo.company.id}`)
    expect(hers.filter(id => theirs.includes(id))).toEqual([])
  })
}

describe('the main job on the embedded transport', () => mainJob('embedded'))
describeWithKafka('the main job on Kafka', () => mainJob('kafka'))
