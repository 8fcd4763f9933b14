import { recordedEvent, services } from '@grantlog/contracts'
import { EmbeddedTransport } from '@grantlog/eventing'
import type { LogLine } from '@grantlog/launcher'
import { Freshness, Guard, RevocationSet, remoteIntrospection } from '@grantlog/resource-guard'
import { eventually } from '@grantlog/testing'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import * as oauth from 'oauth4webapi'
import { type Client, expectRefusal, type Tokens, tampered } from '../bad-input/wire.js'
import { accessTokenType, claimsOf, exchangeType, jwtType } from '../exchange/exchange-world.js'
import { type RunningSystem, sharedSystem } from '../running-system.js'
import { codeOf, dpopProof, newKey, RequestWorld, thumbprint } from './request-world.js'

const notes = 'https://notes.example/'
const signedType = 'application/token-introspection+jwt'
const insecure = { [oauth.allowInsecureRequests]: true }
const inactive = { active: false }
type Told = Readonly<Record<string, unknown>>

describe('opaque tokens, and introspection of every token', () => {
  let running: RunningSystem
  let world: RequestWorld
  /** The client of the API of notes, whose tokens are opaque. */
  let api: Client
  let app: Client
  let server: oauth.AuthorizationServer
  beforeAll(async () => {
    running = await sharedSystem()
    world = await RequestWorld.create(running)
    api = await world.client({ client_name: 'Notes' })
    const registered = await world.registerApi({
      api_id: 'notes',
      audience: notes,
      name: 'Notes',
      scopes: ['notes:read', 'notes:write'].map(name => ({ name, text: name, access: 'read' })),
      access_token_format: 'opaque',
      introspection_client_id: api.id,
    })
    expect(await registered.json()).toMatchObject({
      access_token_format: 'opaque',
      introspection_client_id: api.id,
    })
    app = await application()
    await eventually(() => own(app))
    server = await discovered()
  })

  const application = () =>
    world.client({
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', exchangeType],
      scope: 'notes:read notes:write invoices:read',
    })

  async function discovered(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(world.issuer)
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
    return oauth.processDiscoveryResponse(issuer, response)
  }

  const post = (client: Client, form: Record<string, string>, headers = {}) =>
    world.wire.post('/token', form, { ...world.wire.basic(client), ...headers })
  const granted = async (response: Promise<Response>) => world.wire.granted(await response)

  /** Tokens that Ada let a client have. */
  async function code(client: Client, resource = notes): Promise<Tokens> {
    const scope = resource === notes ? 'notes:read notes:write' : 'invoices:read'
    const url = world.authorizationUrl(world.parameters(client, { resource, scope }))
    const callback = await eventually(() => world.wire.ada.answer(url, client.redirectUri))
    return world.wire.redeem(client, codeOf(callback))
  }
  const own = (client: Client) =>
    granted(post(client, { grant_type: 'client_credentials', resource: notes, scope: 'notes:read' }))
  const refresh = (client: Client, { refresh_token }: Tokens) =>
    granted(post(client, { grant_type: 'refresh_token', refresh_token }))
  const exchange = (client: Client, subject: string, more: Record<string, string> = {}) =>
    post(client, {
      grant_type: exchangeType,
      subject_token: subject,
      subject_token_type: accessTokenType,
      ...more,
    })

  const ask = (token: string, client: Client = api, accept = 'application/json') =>
    world.wire.post('/introspect', { token }, { ...world.wire.basic(client), accept })
  const told = async (token: string, client?: Client) => (await (await ask(token, client)).json()) as Told
  const revoke = (client: Client, token: string) =>
    world.wire.post('/revoke', { token }, world.wire.basic(client))

  /** As the library of an independent team asks and verifies. */
  async function askedByLibrary(token: string, client: Client = api): Promise<oauth.IntrospectionResponse> {
    const asking: oauth.Client = { client_id: client.id }
    const secret = oauth.ClientSecretBasic(client.secret ?? '')
    const options = { requestJwtResponse: true, ...insecure }
    const response = await oauth.introspectionRequest(server, asking, secret, token, options)
    const result = await oauth.processIntrospectionResponse(server, asking, response)
    await oauth.validateApplicationLevelSignature(server, response, insecure)
    return result
  }

  describe('an API that wants opaque tokens gets them', () => {
    it.each<[string, string, () => Promise<Tokens>]>([
      ['authorization_code', 'notes:read notes:write', () => code(app)],
      ['refresh_token', 'notes:read notes:write', async () => refresh(app, await code(app))],
      ['client_credentials', 'notes:read', () => own(app)],
      [exchangeType, 'notes:read', async () => granted(exchange(app, (await own(app)).access_token))],
    ])('by %s, and learns by /introspect what a JWT would have said', async (grantType, scope, get) => {
      const { result: tokens, log } = await running.logged(get)
      expect(tokens.access_token).toMatch(/^gla_[A-Za-z0-9_-]{200,3000}$/)
      const { data } = log.filter(({ type }) => type === 'token.issued').at(-1) as LogLine
      expect(data).toMatchObject({ grantType, audience: notes, keyId: expect.stringMatching(/^opaque-/) })
      expect(await told(tokens.access_token)).toMatchObject({
        active: true,
        token_type: 'Bearer',
        iss: world.issuer,
        aud: notes,
        client_id: app.id,
        scope,
        jti: data.tokenId,
        sub: data.subject,
        iat: data.issuedAt,
        exp: data.expiresAt,
      })
      expect(await world.wire.leaks()).toEqual({})
    })

    it('beside JWTs for the others, whose clients learn as much', async () => {
      const { access_token } = await code(app, running.audience)
      expect(decodeProtectedHeader(access_token).typ).toBe('at+jwt')
      expect(await told(access_token, app)).toMatchObject({ active: true, ...claimsOf(access_token) })
    })

    it('and another API takes none of them', async () => {
      const { access_token } = await code(app)
      const headers = { authorization: `Bearer ${access_token}` }
      expect((await fetch(running.audience, { headers })).status).toBe(401)
    })

    it('bound to a key, of which it is told (RFC 9449 §6.2)', async () => {
      const key = newKey()
      const form = { grant_type: 'client_credentials', resource: notes, scope: 'notes:read' }
      const url = world.wire.url('/token')
      const refused = await post(app, form, { dpop: dpopProof(url, key) })
      const nonce = refused.headers.get('dpop-nonce') ?? ''
      const bound = await granted(post(app, form, { dpop: dpopProof(url, key, { nonce }) }))
      expect(await told(bound.access_token)).toMatchObject({
        active: true,
        token_type: 'DPoP',
        cnf: { jkt: thumbprint(key) },
      })
    })
  })

  describe('who may know of a token (RFC 7662 §2.2, §4)', () => {
    it('whom it was issued to, whose API it is for, and whom the operator lets ask about all', async () => {
      const { access_token } = await code(app)
      for (const client of [app, api, { ...running.demo.operator, redirectUri: '' }])
        expect(await told(access_token, client)).toMatchObject({ active: true })
    })

    it('nobody else: not another client, nor an API about tokens for others', async () => {
      expect(await told((await code(app)).access_token, world.wire.confidential)).toEqual(inactive)
      expect(await told((await code(app, running.audience)).access_token)).toEqual(inactive)
    })

    it('no API knows of a refresh token', async () => {
      const { refresh_token } = await code(app)
      expect(await told(refresh_token)).toEqual(inactive)
      expect(await told(refresh_token, app)).toMatchObject({ active: true })
    })

    it.each([
      ['changed', (token: string) => tampered(token)],
      ['cut', (token: string) => token.slice(0, -8)],
      ['its prefix alone', () => 'gla_'],
      ['without its prefix', (token: string) => token.slice(4)],
    ])('and of what is no token there is nothing to know: %s', async (_, change) => {
      const { access_token } = await own(app)
      expect(await told(change(access_token))).toEqual(inactive)
      expect((await revoke(app, change(access_token))).status).toBe(200) // RFC 7009 §2.2
      expect(await told(access_token)).toMatchObject({ active: true })
    })
  })

  describe('an opaque token is revoked as any other (RFC 7009)', () => {
    it.each<[string, (tokens: Tokens) => Promise<unknown>]>([
      ['by itself', ({ access_token }) => revoke(app, access_token)],
      ['by its refresh token (§2.1)', ({ refresh_token }) => revoke(app, refresh_token)],
      [
        'by theft of its refresh token',
        async tokens => {
          const second = await refresh(app, tokens)
          const thief = await world.client({ grant_types: ['authorization_code', 'refresh_token'] })
          await post(thief, { grant_type: 'refresh_token', refresh_token: second.refresh_token })
        },
      ],
    ])('%s, at once', async (_, end) => {
      const tokens = await code(app)
      expect(await told(tokens.access_token)).toMatchObject({ active: true })
      await end(tokens)
      expect(await told(tokens.access_token)).toEqual(inactive)
    })

    it('by its owner, who ends the grant', async () => {
      const { access_token } = await code(app)
      await world.wire.ada.revokeOnGrantsPage(String((await told(access_token)).grant))
      await eventually(async () => expect(await told(access_token)).toEqual(inactive))
    })

    it('with the token that it was exchanged for', async () => {
      const subject = await own(app)
      const exchanged = await granted(exchange(app, subject.access_token))
      await revoke(app, subject.access_token)
      expect(await told(exchanged.access_token)).toEqual(inactive)
      await expectRefusal(await exchange(app, subject.access_token), {
        error: 'invalid_request',
        says: 'subject token is invalid, expired or revoked',
      })
    })

    it('and by no other client (§2.1)', async () => {
      const { access_token } = await code(app)
      for (const client of [api, world.wire.confidential])
        expect((await revoke(client, access_token)).status).toBe(200)
      expect(await told(access_token)).toMatchObject({ active: true })
    })
  })

  describe('an opaque token is no JWT (RFC 8693 §3)', () => {
    it.each([
      ['requested_token_type', "tokens are no JWTs: leave out 'requested_token_type'"],
      ['subject_token_type', "The 'subject_token' is no JWT"],
    ])('and may not be called one: %s', async (name, says) => {
      const { access_token } = await own(app)
      const response = await exchange(app, access_token, { [name]: jwtType })
      await expectRefusal(response, { error: 'invalid_request', says })
    })
  })

  it('a guard asks about a token once, and refuses it as soon as it hears of its revocation', async () => {
    const revocations = new RevocationSet()
    const freshness = new Freshness(services)
    const introspect = remoteIntrospection({
      endpoint: world.wire.url('/introspect'),
      clientId: api.id,
      clientSecret: api.secret ?? '',
    })
    let asked = 0
    const guard = new Guard({
      issuer: world.issuer,
      audience: notes,
      keys: async () => undefined,
      introspect: token => {
        asked++
        return introspect(token)
      },
      revocations,
      freshness,
    })
    const logs = services.map(name => [name, running.backbone.databaseUrl(name)])
    const following = await new EmbeddedTransport(Object.fromEntries(logs)).subscribe({
      name: 'notes',
      topics: ['revocations'],
      begin: () => ({ at: new Date(Date.now() - 3_610_000) }),
      deliver: async ({ events }) => {
        for (const { event } of events) {
          const recorded = recordedEvent(event)
          if (recorded?.type === 'token.revoked') revocations.apply(recorded.data)
        }
      },
      alive: (source, time) => freshness.alive(source, time),
    })
    try {
      const { access_token } = await code(app)
      const verify = () =>
        guard.verify({ authorization: `Bearer ${access_token}` }, { scope: ['notes:read'] })
      const token = await eventually(verify)
      expect(token).toMatchObject({ clientId: app.id, owner: { kind: 'person', id: running.demo.person.id } })
      asked = 0
      await verify()
      await revoke(app, access_token)
      await eventually(() => expect(verify()).rejects.toMatchObject({ status: 401 }))
      expect(asked).toBe(0)
      await expect(guard.verify({ authorization: `Bearer ${tampered(access_token)}` })).rejects.toMatchObject(
        { status: 401 },
      )
    } finally {
      await following.stop()
    }
  })

  describe('a signed response (RFC 9701)', () => {
    it.each<[string, () => Promise<string>]>([
      ['an opaque token', async () => (await code(app)).access_token],
      ['a JWT', async () => (await code(app, running.audience)).access_token],
      ['a refresh token', async () => (await code(app)).refresh_token],
      ['no token', async () => 'x'],
    ])('§5 says of %s what JSON says, to an independent library', async (_, get) => {
      const token = await get()
      expect(await askedByLibrary(token, app)).toEqual(await told(token, app))
    })

    it('§5 names issuer, caller and time, and neither sub nor exp of its own', async () => {
      const response = await ask((await code(app)).access_token, api, signedType)
      expect(response.headers.get('content-type')).toBe(signedType)
      expect(response.headers.get('cache-control')).toBe('no-store')
      const text = await response.text()
      expect(decodeProtectedHeader(text)).toEqual({
        typ: 'token-introspection+jwt',
        alg: 'ES256',
        kid: expect.any(String),
      })
      expect(claimsOf(text)).toEqual({
        iss: world.issuer,
        aud: api.id,
        iat: expect.any(Number),
        token_introspection: expect.objectContaining({ active: true, aud: notes }),
      })
    })

    it('§5 says nothing but that it is not active of a token that is not for the caller', async () => {
      const { access_token } = await code(app, running.audience)
      expect(await askedByLibrary(access_token)).toEqual(inactive)
      expect(await askedByLibrary((await code(app)).access_token, world.wire.confidential)).toEqual(inactive)
    })

    it('§7 is signed with an algorithm that the metadata names', () => {
      expect(server.introspection_signing_alg_values_supported).toEqual(['ES256'])
    })

    it('§8.1 is nothing else that a JWT may be', async () => {
      const { access_token } = await code(app)
      const text = await (await ask(access_token, app, signedType)).text()
      expect(await told(text, app)).toEqual(inactive)
      expect((await exchange(app, text)).status).toBe(400)
      expect((await fetch(running.audience, { headers: { authorization: `Bearer ${text}` } })).status).toBe(
        401,
      )
    })

    it.each([
      [`${signedType};q=0.5, application/json`, 'application/json'],
      [`application/json;q=0.5, ${signedType}`, signedType],
      [`${signedType};q=0`, 'application/json'],
      ['application/jwt', 'application/json'],
      ['*/*', 'application/json'],
      ['not a media type; ,', 'application/json'],
    ])('§4 is sent to whoever prefers it, and JSON to all others: %s', async (accept, type) => {
      const response = await ask('x', api, accept)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toMatch(new RegExp(`^${type.replace('+', '\\+')}(;|$)`))
    })

    it('a refusal is JSON, whatever was asked for (RFC 6749 §5.2)', async () => {
      await expectRefusal(await ask('x', { ...api, secret: 'another' }, signedType), {
        status: 401,
        error: 'invalid_client',
        says: 'Client authentication failed',
      })
    })
  })
})
