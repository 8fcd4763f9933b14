import { eventually } from '@grantlog/testing'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as oidc from 'openid-client'
import { type Client, expectRefusal, type Tokens } from '../bad-input/wire.js'
import { type RunningSystem, sharedSystem, untilStatus } from '../running-system.js'
import { type Material, wrongRequests } from './exchange-table.js'
import {
  accessTokenType,
  archive,
  claimsOf,
  type Exchanged,
  ExchangeWorld,
  exchangeType,
  jwtType,
  portal,
} from './exchange-world.js'

describe('token exchange (RFC 8693)', () => {
  let running: RunningSystem
  let world: ExchangeWorld
  let web: Client
  let api: Client
  let subject: Tokens
  beforeAll(async () => {
    running = await sharedSystem()
    world = await ExchangeWorld.create(running)
    web = await world.webApplication()
    api = await world.portalClient()
    subject = await world.granted(web)
  })

  it('is what a client is registered for, and shown as it was registered', async () => {
    const shown = await world.registration(await world.archiveClient())
    expect(shown).toMatchObject({
      grant_types: [exchangeType],
      token_exchange: {
        rules: [{ from: archive, to: world.invoices, scope: 'invoices:read', subject_scope: '' }],
        impersonate: false,
      },
    })
    expect(await world.registration(web)).toMatchObject({ token_exchange: { rules: [], impersonate: false } })
    expect(await world.registration(world.wire.confidential)).not.toHaveProperty('token_exchange')
  })

  describe('a token for another API', () => {
    it('reads there what its owner may, with the scopes of the rule', async () => {
      const { result: exchanged, log } = await running.logged(() => world.exchange(api, subject.access_token))
      // §2.2.1
      expect(exchanged).toEqual({
        access_token: expect.any(String),
        issued_token_type: accessTokenType,
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        scope: 'invoices:read',
      })
      const before = claimsOf(subject.access_token)
      const claims = claimsOf(exchanged.access_token)
      expect(claims).toMatchObject({
        sub: running.demo.person.id,
        aud: world.invoices,
        client_id: api.id,
        scope: 'invoices:read',
        grant: before.grant,
        family: before.family,
        auth_time: before.auth_time,
        act: { sub: api.id },
      })
      const read = await untilStatus(200, () => world.read(exchanged.access_token))
      expect(await read.json()).toMatchObject({ owner: { kind: 'person', id: running.demo.person.id } })
      // who acted for whom, with what
      expect(log).toMatchObject([
        {
          type: 'token.issued',
          streamId: `token-${claims.jti}`,
          data: {
            tokenId: claims.jti,
            grantType: exchangeType,
            clientId: api.id,
            familyId: before.family,
            grantId: before.grant,
            subject: running.demo.person.id,
            audience: world.invoices,
            exchange: { subjectTokenId: before.jti, actorTokenId: null, actors: [api.id] },
          },
        },
      ])
      expect(await world.introspect(exchanged.access_token)).toMatchObject({
        active: true,
        act: { sub: api.id },
        sub: running.demo.person.id,
      })
    })

    it('may write there only for an owner who could edit here', async () => {
      const editing = await world.granted(web, 'view edit')
      expect((await world.exchange(api, editing.access_token)).scope).toBe('invoices:read invoices:write')
    })

    it('reaches the company’s data where the subject token did', async () => {
      const { company } = running.demo
      const theirs = await world.granted(web, 'view', `organization:${company.id}`)
      const { access_token } = await world.exchange(api, theirs.access_token)
      const read = await untilStatus(200, () => world.read(access_token))
      expect(await read.json()).toMatchObject({ owner: { kind: 'organization', id: company.id } })
    })

    it('never outlives the token that it was exchanged for', async () => {
      const exchanged = await world.exchange(api, subject.access_token)
      const { exp, iat } = claimsOf(exchanged.access_token)
      expect(exp).toBe(claimsOf(subject.access_token).exp) // the API's own tokens live longer
      expect(exchanged.expires_in).toBe(exp - iat)
    })

    it('§2.1 is named by audience as well as by resource, or by both', async () => {
      for (const target of [
        { resource: undefined, audience: world.invoices },
        { audience: world.invoices },
      ]) {
        const { access_token } = await world.exchange(api, subject.access_token, target)
        expect(claimsOf(access_token).aud).toBe(world.invoices)
      }
    })

    it.each([
      [undefined, accessTokenType],
      [accessTokenType, accessTokenType],
      [jwtType, jwtType],
    ])('§2.2.1 is said to be of the type that was requested: %s', async (requested, issued) => {
      const change = { requested_token_type: requested, subject_token_type: jwtType }
      expect((await world.exchange(api, subject.access_token, change)).issued_token_type).toBe(issued)
    })

    it('is got with openid-client, by whoever speaks the standard', async () => {
      const config = await oidc.discovery(
        new URL(running.installation.url('token')),
        api.id,
        undefined,
        oidc.ClientSecretBasic(api.secret),
        { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] },
      )
      expect(config.serverMetadata().grant_types_supported).toContain(exchangeType)
      const got = await oidc.genericGrantRequest(config, exchangeType, {
        subject_token: subject.access_token,
        subject_token_type: accessTokenType,
        resource: world.invoices,
        scope: 'invoices:read',
      })
      expect(got).toMatchObject({ issued_token_type: accessTokenType, scope: 'invoices:read' })
      await untilStatus(200, () => world.read(got.access_token))
    })
  })

  describe('down-scoping at the same API', () => {
    const same = { resource: undefined }

    it('needs no rule for a token of the client’s own, and names no actor', async () => {
      const { access_token } = await world.granted(web, 'view edit')
      const fewer = await world.exchange(web, access_token, { ...same, scope: 'view' })
      expect(claimsOf(fewer.access_token)).toMatchObject({ aud: portal, scope: 'view', client_id: web.id })
      expect(claimsOf(fewer.access_token)).not.toHaveProperty('act')
      const again = { ...same, scope: 'view edit' }
      await expectRefusal(await world.send(web, fewer.access_token, again), {
        error: 'invalid_scope',
        says: "'edit'",
      })
    })

    it('is for an API, with the tokens of others, a matter of rules like any other', async () => {
      await expectRefusal(await world.send(api, subject.access_token, same), {
        error: 'invalid_target',
        says: 'this target',
      })
    })
  })

  describe('who acts (§4.1)', () => {
    it('is everybody who took part, the last one outermost', async () => {
      const archiveClient = await world.archiveClient()
      const first = await world.exchange(api, subject.access_token, { resource: archive })
      const second = await world.exchange(archiveClient, first.access_token)
      const claims = claimsOf(second.access_token)
      expect(claims).toMatchObject({
        sub: running.demo.person.id,
        act: { sub: archiveClient.id, act: { sub: api.id } },
      })
      expect(await world.introspect(second.access_token)).toMatchObject({ act: claims.act })
      await untilStatus(200, () => world.read(second.access_token))
    })

    it('is whom the actor token names', async () => {
      const actor = await world.own(api)
      const { result: exchanged, log } = await running.logged(() =>
        world.exchange(api, subject.access_token, { actor_token: actor, actor_token_type: jwtType }),
      )
      expect(claimsOf(exchanged.access_token).act).toEqual({ sub: api.id })
      expect(log.at(-1)?.data.exchange).toEqual({
        subjectTokenId: claimsOf(subject.access_token).jti,
        actorTokenId: claimsOf(actor).jti,
        actors: [api.id],
      })
    })

    it('is a person, where one who signed in at the client acts for another', async () => {
      const agent = await world.grantedByAnother(web)
      const acting = {
        resource: undefined,
        actor_token: agent.access_token,
        actor_token_type: accessTokenType,
      }
      const { access_token } = await world.exchange(web, subject.access_token, acting)
      expect(claimsOf(access_token)).toMatchObject({
        sub: running.demo.person.id,
        act: { sub: claimsOf(agent.access_token).sub },
      })
      await expectRefusal(await world.send(web, agent.access_token, acting), {
        error: 'invalid_request',
        says: 'names the subject itself',
      })
    })

    it('is not told by a client that may impersonate', async () => {
      const impersonator = await world.portalClient({
        rules: [{ from: portal, to: world.invoices, scope: 'invoices:read' }],
        impersonate: true,
      })
      const { access_token } = await world.exchange(impersonator, subject.access_token)
      expect(claimsOf(access_token)).not.toHaveProperty('act')
      expect(claimsOf(access_token).client_id).toBe(impersonator.id)
      await untilStatus(200, () => world.read(access_token))
    })

    it('can not be told without end', async () => {
      let { access_token } = subject
      for (let time = 0; time < 5; time++)
        ({ access_token } = await world.exchange(web, access_token, { resource: undefined }))
      await expectRefusal(await world.send(web, access_token, { resource: undefined }), {
        error: 'invalid_request',
        says: 'too often',
      })
      // it fits where tokens are read: RFC 7662, RFC 7009 by 4096 characters
      expect(access_token.length).toBeLessThan(4096)
      expect(await world.introspect(access_token)).toMatchObject({ active: true })
    })
  })

  describe('what is revoked stays revoked', () => {
    /** Ada's token, and those that two APIs in a row and one with an actor token got for it. */
    interface Chain {
      readonly web: Client
      readonly api: Client
      readonly archive: Client
      readonly subject: Tokens
      readonly actor: string
      readonly direct: Exchanged
      readonly acting: Exchanged
      readonly first: Exchanged
      readonly last: Exchanged
    }

    const revocations: readonly [
      string,
      (chain: Chain) => Promise<unknown>,
      ('direct' | 'acting' | 'last')[],
      ('direct' | 'acting' | 'last')[],
    ][] = [
      [
        'the subject token',
        chain => world.revoke(chain.web, chain.subject.access_token),
        ['direct', 'acting', 'last'],
        [],
      ],
      [
        'its family',
        chain => world.revoke(chain.web, chain.subject.refresh_token),
        ['direct', 'acting', 'last'],
        [],
      ],
      ['its grant', chain => world.endGrant(chain.subject.access_token), ['direct', 'acting', 'last'], []],
      [
        'the application that it was issued to',
        chain => world.suspend(chain.web),
        ['direct', 'acting', 'last'],
        [],
      ],
      ['the client that exchanged', chain => world.suspend(chain.api), ['direct', 'acting', 'last'], []],
      [
        'the client that exchanged last',
        chain => world.suspend(chain.archive),
        ['last'],
        ['direct', 'acting'],
      ],
      [
        'the token in between',
        chain => world.revoke(chain.api, chain.first.access_token),
        ['last'],
        ['direct', 'acting'],
      ],
      ['the actor token', chain => world.revoke(chain.api, chain.actor), ['acting'], ['direct', 'last']],
      [
        'the new token itself',
        chain => world.revoke(chain.api, chain.direct.access_token),
        ['direct'],
        ['acting', 'last'],
      ],
    ]

    it.each(revocations)('with %s', async (_, revoke, ended, living) => {
      const chain = await aChain()
      for (const name of ['direct', 'acting', 'last'] as const)
        await untilStatus(200, () => world.read(chain[name].access_token))
      await revoke(chain)
      for (const name of ended) {
        await untilStatus(401, () => world.read(chain[name].access_token))
        // the token service hears of what others revoke by their events, as each API does
        await eventually(async () =>
          expect(await world.introspect(chain[name].access_token)).toEqual({ active: false }),
        )
      }
      for (const name of living) {
        expect((await world.read(chain[name].access_token)).status).toBe(200)
        expect(await world.introspect(chain[name].access_token)).toMatchObject({ active: true })
      }
    })

    it.each([
      ['the subject token', (chain: Chain) => world.revoke(chain.web, chain.subject.access_token)],
      ['its family', (chain: Chain) => world.revoke(chain.web, chain.subject.refresh_token)],
      ['its grant', (chain: Chain) => world.endGrant(chain.subject.access_token)],
      ['the application that it was issued to', (chain: Chain) => world.suspend(chain.web)],
      ['the application that it was issued to, deleted', (chain: Chain) => world.remove(chain.web)],
    ])('and is exchanged no more: %s', async (_, revoke) => {
      const chain = await aChain()
      await revoke(chain)
      for (const [client, token] of [
        [chain.api, chain.subject],
        [chain.archive, chain.first],
      ] as const) {
        await eventually(async () =>
          expectRefusal(await world.send(client, token.access_token), {
            error: 'invalid_request',
            says: 'subject token is invalid, expired or revoked',
          }),
        )
      }
    })

    /** With clients of its own: a client that was suspended is of no use to others. */
    async function aChain(): Promise<Chain> {
      const application = await world.webApplication()
      const portalClient = await world.portalClient()
      const archiveClient = await world.archiveClient()
      const granted = await world.granted(application)
      const token = granted.access_token
      const actor = await world.own(portalClient)
      const acting = { actor_token: actor, actor_token_type: accessTokenType }
      const first = await world.exchange(portalClient, token, { resource: archive })
      return {
        web: application,
        api: portalClient,
        archive: archiveClient,
        subject: granted,
        actor,
        direct: await world.exchange(portalClient, token),
        acting: await world.exchange(portalClient, token, acting),
        first,
        last: await world.exchange(archiveClient, first.access_token),
      }
    }
  })

  describe('a wrong request', () => {
    let material: Material
    beforeAll(async () => {
      const revoked = await world.own(api)
      await world.revoke(api, revoked)
      material = {
        world,
        web,
        portal: api,
        subject,
        actor: await world.own(api),
        revoked,
        foreignActor: await world.own(await world.portalClient()),
        delegated: (await world.exchange(api, subject.access_token)).access_token,
      }
    })

    it.each(wrongRequests)('$name', async row => {
      await expectRefusal(await row.send(world.wire, material), row)
    })

    it('appends nothing to any log, and writes no token into one', async () => {
      const { log } = await running.logged(() =>
        Promise.all(wrongRequests.map(row => row.send(world.wire, material))),
      )
      expect(log).toEqual([])
      expect(await world.wire.leaks()).toEqual({})
    })
  })
})
