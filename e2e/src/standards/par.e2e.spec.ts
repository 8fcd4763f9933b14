import { formOf, Visitor } from '@grantlog/demonstration'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { wordsOf } from '../bad-input/requests.js'
import { type Client, expectRefusal } from '../bad-input/wire.js'
import { Ada, type RunningSystem, sharedSystem } from '../running-system.js'
import {
  type Change,
  codeOf,
  dpopProof,
  newKey,
  RequestWorld,
  redirectUri,
  thumbprint,
  verifier,
} from './request-world.js'

const urn = /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/

describe('pushed authorization requests (RFC 9126)', () => {
  let running: RunningSystem
  let world: RequestWorld
  let client: Client
  beforeAll(async () => {
    running = await sharedSystem()
    world = await RequestWorld.create(running)
    client = await world.client({ jwks: world.jwks })
  })

  describe('§2.2 what is answered', () => {
    it('is 201, JSON that no cache keeps, a URI and its life in seconds', async () => {
      const response = await world.push(client)
      expect(response.status).toBe(201)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': expect.stringMatching(/^application\/json\b/),
        'cache-control': 'no-store',
      })
      expect(await response.json()).toEqual({ request_uri: expect.stringMatching(urn), expires_in: 90 })
    })

    it('is another URI each time, which nobody can guess (§7.1)', async () => {
      expect(await world.pushed(client)).not.toBe(await world.pushed(client))
    })

    it('can be read by applications in browsers, and no other page of the service can', async () => {
      const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
      const options = {
        method: 'OPTIONS',
        headers: { ...preflight, 'access-control-request-headers': 'dpop' },
      }
      const allowed = await fetch(world.consent('/par'), options)
      expect(allowed.headers.get('access-control-allow-origin')).toBe('*')
      expect(allowed.headers.get('access-control-allow-headers')).toMatch(/\bdpop\b/i)
      const other = await fetch(world.consent('/sign-in'), options)
      expect(other.headers.get('access-control-allow-origin')).toBeNull()
    })
  })

  describe('§2.1 the client authenticates as at the token endpoint', () => {
    it('a public client only names itself', async () => {
      expect(await world.pushed(world.wire.publicClient)).toMatch(urn)
    })

    it('a client with a key signs an assertion', async () => {
      const signing = await world.client({ token_endpoint_auth_method: 'private_key_jwt', jwks: world.jwks })
      const now = Math.floor(Date.now() / 1000)
      const assertion = world.object(
        signing,
        { sub: signing.id, exp: now + 60 },
        { typ: 'client-authentication+jwt' },
      )
      const authentication = {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }
      const uri = await world.pushed(signing, authentication)
      expect((await world.open({ client_id: signing.id, request_uri: uri })).status).toBe(200)
      // RFC 7523 §3: the jti is good for one use
      await expectRefusal(await world.push(signing, authentication), {
        status: 401,
        error: 'invalid_client',
        says: 'Client authentication failed',
      })
    })

    it.each<[string, (client: Client) => Promise<Response>, string]>([
      [
        'a wrong secret',
        ({ id }) => world.push(client, {}, world.wire.basic({ id, secret: 'wrong-secret' })),
        'failed',
      ],
      ['no secret', ({ id, redirectUri }) => world.push({ id, redirectUri }), 'failed'],
      ['an unknown client', () => world.push({ id: 'nobody', redirectUri }), 'failed'],
      ['nobody', () => world.post({ response_type: 'code' }), 'does not name its client'],
    ])('refused: %s', async (_, send, says) => {
      await expectRefusal(await send(client), { status: 401, error: 'invalid_client', says })
    })

    it('refuses two methods at once (RFC 6749 §2.3)', async () => {
      const twice = await world.push(client, { client_secret: client.secret })
      await expectRefusal(twice, { error: 'invalid_request', says: 'more than one client authentication' })
    })
  })

  describe('§2.1 the request is checked as at the authorization endpoint', () => {
    it.each<[string, Change, string, string]>([
      ['request_uri', { request_uri: 'urn:x' }, 'invalid_request', "'request_uri' can not be pushed"],
      ['response_type missing', { response_type: undefined }, 'invalid_request', "'response_type'"],
      ['response_type token', { response_type: 'token' }, 'unsupported_response_type', "'response_type'"],
      [
        'redirect_uri of another',
        { redirect_uri: 'https://evil.example/' },
        'invalid_request',
        'redirect_uri',
      ],
      ['no code_challenge', { code_challenge: undefined }, 'invalid_request', 'PKCE is required'],
      ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request', 'must be S256'],
      ['a foreign scope', { scope: 'clients:write' }, 'invalid_scope', "'clients:write'"],
      ['an unknown API', { resource: 'https://unknown.example/' }, 'invalid_target', "'resource'"],
      ['scope twice', { scope: ['invoices:read', 'x'] }, 'invalid_request', "'scope' is included more than"],
      [
        'redirect_uri twice',
        { redirect_uri: [redirectUri, redirectUri] },
        'invalid_request',
        'more than once',
      ],
      ['a dpop_jkt that is none', { dpop_jkt: 'x' }, 'invalid_request', "'dpop_jkt'"],
      ['another client_id', { client_id: 'other' }, 'invalid_request', "'client_id' differs"],
      ['a control character', { state: 'a\0' }, 'invalid_request', 'control character'],
      ['a state too long', { state: 'x'.repeat(4097) }, 'invalid_request', "'state' is longer"],
    ])('refused: %s', async (_, change, error, says) => {
      await expectRefusal(await world.push(client, change), { error, says })
    })

    it('refused: a client that may not redirect', async () => {
      const { operator } = running.demo
      const response = await world.push({ ...operator, redirectUri })
      await expectRefusal(response, { error: 'invalid_request', says: 'redirect_uri' })
    })
  })

  describe('§2.3 what is no push', () => {
    const basic = () => world.wire.basic(client)
    it.each<[string, () => RequestInit, number, string]>([
      ['GET', () => ({}), 405, 'GET is not allowed here'],
      ['nothing', () => ({ method: 'POST' }), 401, 'does not name its client'],
      ['JSON', () => json('{}'), 400, 'must be application/x-www-form-urlencoded'],
      ['broken JSON', () => json('{'), 400, 'could not be read'],
      ['a body that is too large', () => form(`a=${'x'.repeat(66_000)}`), 413, 'larger than 64 kB'],
      ['too much of a form', () => form('a=1&'.repeat(65)), 400, 'more than 64 parameters'],
      ['what is not encoded', () => form('a=%zz'), 400, 'not percent-encoded'],
    ])('refused: %s', async (_, request, status, says) => {
      const response = await fetch(world.consent('/par'), request())
      const error = status === 401 ? 'invalid_client' : 'invalid_request'
      await expectRefusal(response, { status, error, says })
    })
    const json = (body: string) => ({
      method: 'POST',
      headers: { ...basic(), 'content-type': 'application/json' },
      body,
    })
    const form = (body: string) => ({
      method: 'POST',
      headers: { ...basic(), 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
  })

  describe('§4 the browser brings it', () => {
    it('a person allows what was pushed, whatever else stands in the URL', async () => {
      const uri = await world.pushed(client)
      const wider = {
        scope: 'invoices:read invoices:write',
        redirect_uri: 'https://evil.example/',
        state: 'b',
      }
      const tokens = await world.granted(client, { client_id: client.id, request_uri: uri, ...wider })
      expect(tokens.scope).toBe('invoices:read')
    })

    it('the state and the issuer come back, and redirect_uri counts as named (RFC 6749 §4.1.3)', async () => {
      const query = { client_id: client.id, request_uri: await world.pushed(client) }
      const callback = await world.wire.ada.answer(world.authorizationUrl(query), redirectUri)
      expect(Object.fromEntries(callback.searchParams)).toMatchObject({ state: 'a state', iss: world.issuer })
      const { redirect_uri: _, ...form } = world.wire.redemption(client, codeOf(callback))
      const response = await world.wire.post('/token', form, world.wire.basic(client))
      await expectRefusal(response, { error: 'invalid_request', says: "'redirect_uri' is missing" })
    })

    it('what became wrong meanwhile goes back to the client', async () => {
      const gone = await world.client()
      const uri = await world.pushed(gone)
      await world.update(gone, { scope: 'invoices:write' })
      const answer = await world.openUntil({ client_id: gone.id, request_uri: uri }, 303)
      const location = new URL(answer.headers.get('location') ?? '')
      expect(location.searchParams.get('error')).toBe('invalid_scope')
      expect(location.searchParams.get('state')).toBe('a state')
    })

    it.each<[string, (uri: string) => Record<string, string>]>([
      ['another client', uri => ({ client_id: world.wire.publicClient.id, request_uri: uri })],
      ['no client', uri => ({ request_uri: uri })],
      ['an unknown client', uri => ({ client_id: 'nobody', request_uri: uri })],
      ['a URI that differs', uri => ({ client_id: client.id, request_uri: `${uri.slice(0, -1)}_` })],
      ['a URI cut short', uri => ({ client_id: client.id, request_uri: uri.slice(0, -1) })],
    ])('%s is told to the person, who is sent nowhere', async (_, query) => {
      const uri = (await world.pushed(client)).replace(/_$/, 'A')
      const response = await world.open(query(uri))
      expect(response.status).toBe(400)
      expect(response.headers.get('location')).toBeNull()
      expect(wordsOf(await response.text())).toContain('This request is broken')
    })

    it('expires: a browser that comes late is told so', async () => {
      const query = { client_id: client.id, request_uri: await world.pushed(client) }
      expect((await world.open(query)).status).toBe(200)
      await world.expire()
      const response = await world.open(query)
      expect(response.status).toBe(400)
      expect(wordsOf(await response.text())).toContain('It has expired')
    })

    it('waits for a person who signs in, mistypes and reloads', async () => {
      const { person } = running.demo
      const visitor = new Visitor()
      const url = world.authorizationUrl({ client_id: client.id, request_uri: await world.pushed(client) })
      const page = await visitor.open(url)
      const wrong = { email: person.email, password: 'a wrong password' }
      const again = await visitor.submit(page, formOf(page, /sign-in/), wrong)
      expect(wordsOf(again.html)).toContain('the password is wrong')
      const right = { email: person.email, password: person.password }
      await visitor.submit(again, formOf(again, /sign-in/), right)
      const reloaded = await visitor.open(url)
      expect(wordsOf(reloaded.html)).toContain('Pusher wants to access Invoices')
    })

    it('is answered once: again from the same page with the same code, and from no other (§7.3)', async () => {
      const ada = new Ada(running)
      const url = world.authorizationUrl({ client_id: client.id, request_uri: await world.pushed(client) })
      await ada.answer(world.authorizationUrl(world.parameters(client)), redirectUri, { decision: 'deny' })
      const [first, second] = [await ada.visitor.open(url), await ada.visitor.open(url)]
      const allow = (page: typeof first) =>
        ada.visitor.submit(page, formOf(page, /authorize/), { decision: 'approve' }, redirectUri)
      const { result, log } = await running.logged(async () => [await allow(first), await allow(first)])
      expect(result.map(({ url }) => url.startsWith(redirectUri))).toEqual([true, true])
      expect(log.filter(({ type }) => type === 'grant.code-issued')).toHaveLength(1)
      for (const late of [await allow(second), await ada.visitor.open(url)]) {
        expect(late.status).toBe(400)
        expect(wordsOf(late.html)).toContain('This request was answered')
      }
    })

    it('is answered once also by a refusal', async () => {
      const url = world.authorizationUrl({ client_id: client.id, request_uri: await world.pushed(client) })
      const denied = await world.wire.ada.answer(url, redirectUri, { decision: 'deny' })
      expect(denied.searchParams.get('error')).toBe('access_denied')
      expect((await world.wire.ada.visitor.open(url)).status).toBe(400)
    })
  })

  describe('§6 a client that must push', () => {
    let pusher: Client
    beforeAll(async () => {
      pusher = await world.client({ require_pushed_authorization_requests: true, jwks: world.jwks })
    })

    it.each<[string, () => [string, string][] | Record<string, string>]>([
      ['parameters in the URL', () => world.parameters(pusher)],
      ['a request object in the URL', () => ({ client_id: pusher.id, request: world.object(pusher) })],
    ])('is refused: %s', async (_, query) => {
      const response = await world.open(query())
      expect(response.status).toBe(303)
      const { searchParams } = new URL(response.headers.get('location') ?? '')
      expect(searchParams.get('error')).toBe('invalid_request')
      expect(searchParams.get('error_description')).toContain('must push')
      expect(searchParams.get('state')).toBe('a state')
    })

    it('is served when it does', async () => {
      const uri = await world.pushed(pusher)
      expect((await world.granted(pusher, { client_id: pusher.id, request_uri: uri })).scope).toBe(
        'invoices:read',
      )
    })
  })

  describe('bound to a DPoP key (RFC 9449 §10.1)', () => {
    const key = newKey()
    const parUrl = () => world.consent('/par')
    const tokenUrl = () => world.wire.url('/token')

    it('by a proof: the code is redeemed with that key only', async () => {
      const uri = await world.pushed(client, {}, { dpop: dpopProof(parUrl(), key) })
      const query = { client_id: client.id, request_uri: uri }
      const callback = await world.wire.ada.answer(world.authorizationUrl(query), redirectUri)
      const form = world.wire.redemption(client, codeOf(callback))
      const authentication = world.wire.basic(client)
      await expectRefusal(await world.wire.post('/token', form, authentication), {
        error: 'invalid_grant',
        says: 'bound to a key',
      })
      const refused = await world.wire.post('/token', form, {
        ...authentication,
        dpop: dpopProof(tokenUrl(), key),
      })
      const nonce = refused.headers.get('dpop-nonce') ?? ''
      const proof = dpopProof(tokenUrl(), key, { nonce })
      const response = await world.wire.post('/token', form, { ...authentication, dpop: proof })
      expect(await response.json()).toMatchObject({ token_type: 'DPoP' })
    })

    it('by a proof and dpop_jkt that agree', async () => {
      const proof = dpopProof(parUrl(), key)
      expect(await world.pushed(client, { dpop_jkt: thumbprint(key) }, { dpop: proof })).toMatch(urn)
    })

    it.each<[string, () => [Change, string], string, string]>([
      [
        'a dpop_jkt of another key',
        () => [{ dpop_jkt: thumbprint(newKey()) }, dpopProof(parUrl(), key)],
        'invalid_request',
        "'dpop_jkt' is not the key",
      ],
      ['a proof for another URL', () => [{}, dpopProof(tokenUrl(), key)], 'invalid_dpop_proof', 'htu'],
      [
        'a proof for another method',
        () => [{}, dpopProof(parUrl(), key, { htm: 'GET' })],
        'invalid_dpop_proof',
        'htm',
      ],
      ['what is no proof', () => [{}, 'x'], 'invalid_dpop_proof', 'exactly one JWT'],
      [
        'a time with a fraction, long ago',
        () => [{}, dpopProof(parUrl(), key, { iat: 0.5 })],
        'invalid_dpop_proof',
        'iat',
      ],
    ])('refused: %s', async (_, wrong, error, says) => {
      const [change, dpop] = wrong()
      await expectRefusal(await world.push(client, change, { dpop }), { error, says })
    })

    it('refused: a proof that was used before (RFC 9449 §11.1)', async () => {
      const dpop = dpopProof(parUrl(), key, { iat: Date.now() / 1000 })
      expect((await world.push(client, {}, { dpop })).status).toBe(201)
      await expectRefusal(await world.push(client, {}, { dpop }), {
        error: 'invalid_dpop_proof',
        says: 'used before',
      })
    })
  })

  describe('with independent clients', () => {
    it('openid-client, a confidential client with a secret', async () => {
      const { confidential, ada } = world.wire
      const config = await oidc.discovery(
        new URL(world.issuer),
        confidential.id,
        undefined,
        oidc.ClientSecretBasic(confidential.secret ?? ''),
        { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] },
      )
      const state = oidc.randomState()
      const url = await oidc.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: confidential.redirectUri,
        scope: 'invoices:read',
        resource: running.audience,
        state,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
      const callback = await ada.answer(url.href, confidential.redirectUri)
      const checks = { pkceCodeVerifier: verifier, expectedState: state }
      const tokens = await oidc.authorizationCodeGrant(config, callback, checks)
      expect(tokens.scope).toBe('invoices:read')
    })

    it('oauth4webapi, a public client with a DPoP key', async () => {
      const { publicClient, ada } = world.wire
      const options = { [oauth.allowInsecureRequests]: true } as const
      const discovered = await oauth.discoveryRequest(new URL(world.issuer), {
        algorithm: 'oauth2',
        ...options,
      })
      const server = await oauth.processDiscoveryResponse(new URL(world.issuer), discovered)
      const self: oauth.Client = { client_id: publicClient.id }
      const DPoP = oauth.DPoP(self, await oauth.generateKeyPair('ES256'))
      const parameters = Object.fromEntries(world.parameters(publicClient))
      const response = await oauth.pushedAuthorizationRequest(server, self, oauth.None(), parameters, {
        DPoP,
        ...options,
      })
      const { request_uri } = await oauth.processPushedAuthorizationResponse(server, self, response)
      const url = world.authorizationUrl({ client_id: self.client_id, request_uri })
      const callback = await ada.answer(url, publicClient.redirectUri)
      const answered = oauth.validateAuthResponse(server, self, callback, 'a state')
      const redeem = async () =>
        oauth.processAuthorizationCodeResponse(
          server,
          self,
          await oauth.authorizationCodeGrantRequest(
            server,
            self,
            oauth.None(),
            answered,
            publicClient.redirectUri,
            verifier,
            { DPoP, ...options },
          ),
        )
      // the token endpoint wants a nonce, which it gives with its first refusal
      const tokens = await redeem().catch(error => {
        if (oauth.isDPoPNonceError(error)) return redeem()
        throw error
      })
      expect(tokens).toMatchObject({ scope: 'invoices:read', token_type: 'dpop' })
    })
  })

  it('wrote no secret into any log', async () => {
    expect(await world.wire.leaks()).toEqual({})
  })
})
