import { beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { wordsOf } from '../bad-input/requests.js'
import { type Client, expectRefusal } from '../bad-input/wire.js'
import { type RunningSystem, sharedSystem } from '../running-system.js'
import {
  type Claims,
  codeOf,
  encode,
  newKey,
  RequestWorld,
  redirectUri,
  signed,
  verifier,
} from './request-world.js'

const now = () => Math.floor(Date.now() / 1000)

describe('signed authorization requests (RFC 9101)', () => {
  let running: RunningSystem
  let world: RequestWorld
  let client: Client
  beforeAll(async () => {
    running = await sharedSystem()
    world = await RequestWorld.create(running)
    client = await world.client({ jwks: world.jwks })
  })

  const asked = (request: string, beside: Record<string, string> = {}) =>
    world.open({ client_id: client.id, request, ...beside })

  describe('§5 in the URL', () => {
    it('a person allows what was signed, whatever else stands in the URL (§6.3)', async () => {
      const wider = {
        scope: 'invoices:read invoices:write',
        redirect_uri: 'https://evil.example/',
        state: 'b',
      }
      const query = { client_id: client.id, request: world.object(client), ...wider }
      const callback = await world.wire.ada.answer(world.authorizationUrl(query), redirectUri)
      expect(Object.fromEntries(callback.searchParams)).toMatchObject({ state: 'a state', iss: world.issuer })
      expect((await world.wire.redeem(client, codeOf(callback))).scope).toBe('invoices:read')
    })

    it('the browser goes on with a reference, which outlives the object while she signs in and reloads', async () => {
      const response = await asked(world.object(client, { exp: now() + 2 }))
      expect(response.status).toBe(303)
      const next = new URL(response.headers.get('location') ?? '', world.consent('/'))
      expect(Object.fromEntries(next.searchParams)).toEqual({
        client_id: client.id,
        request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:/),
      })
      const open = async () => (await fetch(next)).status
      expect([await open(), await open()]).toEqual([200, 200])
    })

    it('may name several APIs as a list, of which one at a time is served (RFC 8707 §2)', async () => {
      const resource = [running.audience, 'https://other.example/']
      expect(await refusalOf(await asked(world.object(client, { resource })))).toMatchObject({
        error: 'invalid_target',
      })
    })

    it.each<[string, () => string]>([
      ['a type in full', () => world.object(client, {}, { typ: 'application/oauth-authz-req+jwt' })],
      ['the type JWT', () => world.object(client, {}, { typ: 'JWT' })],
      ['no type', () => world.object(client, {}, { typ: undefined })],
      ['no jti', () => world.object(client, { jti: undefined })],
      ['several audiences', () => world.object(client, { aud: [world.issuer, 'https://other.example'] })],
      ['the response_type and scope beside it, as OpenID Connect has it', () => world.object(client)],
    ])('is taken with %s', async (_, request) => {
      const response = await asked(request(), { response_type: 'code', scope: 'invoices:read' })
      expect(response.headers.get('location')).toMatch(/^\/authorize\?client_id=[^&]+&request_uri=urn/)
    })
  })

  const wrong: [string, (client: Client) => string, string][] = [
    [
      '§6.2: another key signed it',
      client => world.object(client, {}, {}, newKey()),
      'signed with no key of',
    ],
    [
      '§6.2: the signature is of another content',
      client => {
        const [header, , signature] = world.object(client).split('.')
        return [header, encode(world.claims(client, { scope: 'invoices:write' })), signature].join('.')
      },
      'signed with no key of',
    ],
    ['§10.2: it is not signed', client => unsigned(world.claims(client)), 'must be signed with one of'],
    [
      '§10.2: it is signed with a secret',
      client => world.object(client, {}, { alg: 'HS256' }),
      'must be signed with one of',
    ],
    ['§10.8: it is a DPoP proof', client => world.object(client, {}, { typ: 'dpop+jwt' }), 'The typ of'],
    [
      '§10.8: it could authenticate the client',
      client => world.object(client, { sub: client.id }),
      'The sub of',
    ],
    ['§4: iss is missing', client => world.object(client, { iss: undefined }), 'The iss of'],
    ['§4: iss is another', client => world.object(client, { iss: 'other' }), 'The iss of'],
    ['§4: aud is missing', client => world.object(client, { aud: undefined }), 'The aud of'],
    ['§4: aud is another server', client => world.object(client, { aud: 'https://x.example' }), 'The aud of'],
    [
      '§4: it holds a request',
      client => world.object(client, { request: 'x.y.z' }),
      "must not hold 'request'",
    ],
    [
      '§4: it holds a request_uri',
      client => world.object(client, { request_uri: 'urn:x' }),
      "must not hold 'request_uri'",
    ],
    ['exp is missing', client => world.object(client, { exp: undefined }), 'when it expires'],
    ['exp is past', client => world.object(client, { exp: now() - 1 }), 'has expired'],
    ['exp is far ahead', client => world.object(client, { exp: now() + 660 }), 'more than 600 seconds'],
    ['exp is no number', client => world.object(client, { exp: 'soon' }), 'when it expires'],
    ['iat is in the future', client => world.object(client, { iat: now() + 60 }), 'The iat of'],
    ['nbf is in the future', client => world.object(client, { nbf: now() + 60 }), 'The nbf of'],
    ['jti is no text', client => world.object(client, { jti: 1 }), 'The jti of'],
  ]

  describe('§6, §10 what is wrong with an object goes back to the client, at an address that it registered', () => {
    it.each(wrong)('refused: %s', async (_, object, says) => {
      expect(await refusalOf(await asked(object(client)))).toMatchObject({
        error: 'invalid_request_object',
        error_description: expect.stringContaining(says),
        state: 'a state',
        iss: world.issuer,
      })
    })

    it('refused: an object that was used before', async () => {
      const request = world.object(client, { exp: now() + 60.5 })
      expect(await refusalOf(await asked(request))).toEqual({})
      expect(await refusalOf(await asked(request))).toMatchObject({
        error: 'invalid_request_object',
        error_description: expect.stringContaining('used before'),
      })
    })

    it('refused: a client that registered no key', async () => {
      const { confidential } = world.wire
      const query = { client_id: confidential.id, request: world.object(confidential) }
      expect(await refusalOf(await world.open(query))).toMatchObject({
        error: 'invalid_request_object',
        error_description: expect.stringContaining('registered no key'),
      })
    })

    it.each<[string, Claims, string]>([
      ['a foreign scope', { scope: 'clients:write' }, 'invalid_scope'],
      ['no code_challenge', { code_challenge: undefined }, 'invalid_request'],
      ['a response_type that is none', { response_type: 7 }, 'unsupported_response_type'],
      ['a scope that is a list', { scope: ['invoices:read'] }, 'invalid_scope'],
      ['a parameter without a name', { '': 'x' }, 'invalid_request'],
      ['a nested object', { code_challenge: { a: 1 } }, 'invalid_request'],
      ['NUL', { nonce: 'a\0' }, 'invalid_request'],
    ])('refused: %s in a good object', async (_, change, error) => {
      expect(await refusalOf(await asked(world.object(client, change)))).toMatchObject({ error })
    })
  })

  describe('what is told to the person, who is sent nowhere', () => {
    it.each<[string, () => Record<string, string>, string]>([
      [
        '§6.3: the client_id beside the object is another',
        () => ({ client_id: world.wire.publicClient.id, request: world.object(client) }),
        'It names another application',
      ],
      [
        '§6.3: the client_id in the object is missing',
        () => ({ client_id: client.id, request: world.object(client, { client_id: undefined }) }),
        'It names another application',
      ],
      ['§5: there is no client_id beside it', () => ({ request: world.object(client) }), '(client_id)'],
      [
        '§5: there is a request_uri too',
        () => ({ client_id: client.id, request: world.object(client), request_uri: 'urn:x' }),
        'both a request and a request_uri',
      ],
      [
        'a redirect URI that nobody registered, however well signed',
        () => ({
          client_id: client.id,
          request: world.object(client, { redirect_uri: 'https://evil.example/' }),
        }),
        'is not one that the application registered',
      ],
      ['what is no JWT', () => ({ client_id: client.id, request: 'x.y.z' }), 'is not a signed JWT'],
      [
        'what is encrypted',
        () => ({ client_id: client.id, request: 'a.b.c.d.e' }),
        'Encrypted request objects are not supported',
      ],
    ])('%s', async (_, query, says) => {
      const response = await world.open(query())
      expect(response.status).toBe(400)
      expect(response.headers.get('location')).toBeNull()
      expect(wordsOf(await response.text())).toContain(says)
    })
  })

  describe('pushed (RFC 9126 §3)', () => {
    const push = (request: string, beside: Record<string, string> = {}) =>
      world.post({ request, ...beside }, world.wire.basic(client))

    it('is allowed by a person', async () => {
      const response = await push(world.object(client), { client_id: client.id })
      expect(response.status).toBe(201)
      const { request_uri } = (await response.json()) as { request_uri: string }
      expect((await world.granted(client, { client_id: client.id, request_uri })).scope).toBe('invoices:read')
    })

    it.each(wrong)('refused: %s', async (_, object, says) => {
      await expectRefusal(await push(object(client)), { error: 'invalid_request_object', says })
    })

    it.each<[string, () => Promise<Response>, string, string]>([
      [
        'a parameter beside it',
        () => push(world.object(client), { scope: 'invoices:read' }),
        'invalid_request',
        "'scope' must stand in the request object",
      ],
      [
        'another client’s',
        () => push(world.object(world.wire.confidential)),
        'invalid_request_object',
        'The client_id of',
      ],
      ['what is no JWT', () => push('x.y.z'), 'invalid_request_object', 'is not a signed JWT'],
      ['what is encrypted', () => push('a.b.c.d.e'), 'invalid_request_object', 'Encrypted request objects'],
      [
        'a redirect URI that nobody registered',
        () => push(world.object(client, { redirect_uri: 'https://evil.example/' })),
        'invalid_request',
        'redirect_uri',
      ],
      ['a foreign scope in it', () => push(world.object(client, { scope: 'x' })), 'invalid_scope', "'x'"],
    ])('refused: %s', async (_, send, error, says) => {
      await expectRefusal(await send(), { error, says })
    })

    it('refused: the second time', async () => {
      const request = world.object(client)
      expect((await push(request)).status).toBe(201)
      await expectRefusal(await push(request), { error: 'invalid_request_object', says: 'used before' })
      expect(await refusalOf(await asked(request))).toMatchObject({ error: 'invalid_request_object' })
    })
  })

  describe('§10.5 a client that must sign', () => {
    let signer: Client
    beforeAll(async () => {
      signer = await world.client({ require_signed_request_object: true, jwks: world.jwks })
    })

    it('is refused with parameters in the URL', async () => {
      expect(await refusalOf(await world.open(world.parameters(signer)))).toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringContaining('must sign'),
      })
    })

    it('is refused when it pushes parameters', async () => {
      await expectRefusal(await world.push(signer), { error: 'invalid_request', says: 'must sign' })
    })

    it('is served when it signs', async () => {
      const tokens = await world.granted(signer, { client_id: signer.id, request: world.object(signer) })
      expect(tokens.scope).toBe('invoices:read')
    })

    it('is registered with the keys that it signs with', async () => {
      const lacking = {
        client_name: 'X',
        redirect_uris: [redirectUri],
        scope: '',
        require_signed_request_object: true,
      }
      const response = await world.register(lacking)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({
        errors: [{ pointer: '/require_signed_request_object' }],
      })
    })
  })

  describe('with independent clients', () => {
    const signingKey = () =>
      crypto.subtle.importKey(
        'pkcs8',
        world.key.privateKey.export({ format: 'der', type: 'pkcs8' }),
        { name: 'ECDSA', namedCurve: 'P-256' },
        false,
        ['sign'],
      )

    it('openid-client', async () => {
      const config = await oidc.discovery(
        new URL(world.issuer),
        client.id,
        undefined,
        oidc.ClientSecretBasic(client.secret ?? ''),
        { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] },
      )
      const state = oidc.randomState()
      const parameters = {
        redirect_uri: redirectUri,
        scope: 'invoices:read',
        resource: running.audience,
        state,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }
      const url = await oidc.buildAuthorizationUrlWithJAR(config, parameters, await signingKey())
      expect(url.searchParams.has('scope')).toBe(false)
      const callback = await world.wire.ada.answer(url.href, redirectUri)
      const checks = { pkceCodeVerifier: verifier, expectedState: state }
      const tokens = await oidc.authorizationCodeGrant(config, callback, checks)
      expect(tokens.scope).toBe('invoices:read')
    })

    it('oauth4webapi, which pushes what it signed and authenticates by the same key', async () => {
      const both = await world.client({
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: world.jwks,
        require_pushed_authorization_requests: true,
        require_signed_request_object: true,
      })
      const options = { [oauth.allowInsecureRequests]: true } as const
      const discovered = await oauth.discoveryRequest(new URL(world.issuer), {
        algorithm: 'oauth2',
        ...options,
      })
      const server = await oauth.processDiscoveryResponse(new URL(world.issuer), discovered)
      const self: oauth.Client = { client_id: both.id }
      const key = await signingKey()
      const request = await oauth.issueRequestObject(server, self, world.parameters(both), key)
      const authentication = oauth.PrivateKeyJwt(key)
      const response = await oauth.pushedAuthorizationRequest(
        server,
        self,
        authentication,
        { request },
        options,
      )
      const { request_uri } = await oauth.processPushedAuthorizationResponse(server, self, response)
      const url = world.authorizationUrl({ client_id: self.client_id, request_uri })
      const callback = await world.wire.ada.answer(url, redirectUri)
      const answered = oauth.validateAuthResponse(server, self, callback, 'a state')
      const redeemed = await oauth.authorizationCodeGrantRequest(
        server,
        self,
        authentication,
        answered,
        redirectUri,
        verifier,
        options,
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, self, redeemed)
      expect(tokens.scope).toBe('invoices:read')
    })
  })
})

/** What a redirect tells the client; nothing where it goes on. */
async function refusalOf(response: Response): Promise<Record<string, string>> {
  const location = response.headers.get('location') ?? ''
  if (response.status !== 303) throw new Error(`${response.status}: ${wordsOf(await response.text())}`)
  if (location.startsWith('/authorize?')) return {}
  return Object.fromEntries(new URL(location).searchParams)
}

const unsigned = (claims: Claims) =>
  `${signed(claims, {}, newKey())
    .replace(/^[^.]*/, encode({ alg: 'none' }))
    .replace(/[^.]*$/, '')}`
