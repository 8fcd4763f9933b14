import { randomUUID, X509Certificate } from 'node:crypto'
import { certificates, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { type Client, expectRefusal } from '../bad-input/wire.js'
import { type OwnSystem, startSystem, untilStatus } from '../running-system.js'
import {
  type Change,
  type Claims,
  codeOf,
  dpopProof,
  type KeyPair,
  newKey,
  RequestWorld,
  redirectUri,
  signed,
  verifier,
} from './request-world.js'

const proxy = {
  TRUSTED_PROXIES: '127.0.0.1,::1',
  CLIENT_CERTIFICATE_HEADER: 'client-cert',
  CLIENT_CERTIFICATE_AUTHORITIES: certificates.authority,
}
const held = `:${new X509Certificate(certificates.client).raw.toString('base64')}:`
const withCertificate = (url: string, options: object): Promise<Response> => {
  const init = options as RequestInit
  const headers = new Headers(init.headers)
  headers.set('client-cert', held)
  return fetch(url, { ...init, headers })
}
const now = () => Math.floor(Date.now() / 1000)

describe('the FAPI 2.0 Security Profile', () => {
  let running: OwnSystem
  let world: RequestWorld
  let signing: Client
  let holding: Client
  const profile = {
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    scope: 'invoices:read treasury:read ledgers:read',
    profile: 'fapi2',
  }
  const bySignature = () => ({
    ...profile,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: world.jwks,
    dpop_bound_access_tokens: true,
  })
  const byCertificate = {
    ...profile,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'client.example',
    tls_client_certificate_bound_access_tokens: true,
  }
  const anApi = (name: string, more: object) => ({
    api_id: name,
    audience: `https://api.example/${name}`,
    name,
    scopes: [{ name: `${name}:read`, text: `See your ${name}`, access: 'read' }],
    ...more,
  })
  beforeAll(async () => {
    // longer than the profile allows
    const consent = { ...proxy, CODE_SECONDS: '300', PUSHED_REQUEST_SECONDS: '600' }
    const { CLIENT_CERTIFICATE_AUTHORITIES: _, ...resource } = proxy
    running = await startSystem('embedded', { token: proxy, consent, resource })
    world = await RequestWorld.create(running)
    expect((await world.registerApi(anApi('treasury', { profile: 'fapi2' }))).status).toBe(201)
    expect((await world.registerApi(anApi('ledgers', { access_token_alg: 'RS256' }))).status).toBe(201)
    signing = await world.client(bySignature())
    holding = await world.client(byCertificate)
    // the last one that was registered: the token service has heard of the other too
    const form = { grant_type: 'client_credentials', client_id: holding.id }
    await untilStatus(400, () => post(form, { 'client-cert': held }))
  })
  afterAll(() => running?.stop())

  /** What authenticates the client, but for what is changed. */
  function assertion(change: Claims = {}, alg = 'ES256'): Record<string, string> {
    const claims = { iss: signing.id, sub: signing.id, aud: world.issuer, exp: now() + 60, iat: now() }
    const key = world.signers[alg] ?? world.key
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signed({ ...claims, jti: randomUUID(), ...change }, { alg }, key),
    }
  }
  const post = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    world.wire.post('/token', form, headers)
  const key = newKey()
  /** With the nonce that the token endpoint wants. */
  async function proven(form: Record<string, string>, by: KeyPair = key, of: Claims = {}): Promise<Response> {
    const url = world.wire.url('/token')
    const first = await post({ ...form, ...assertion(of) }, { dpop: dpopProof(url, by) })
    const nonce = first.headers.get('dpop-nonce')
    if (nonce === null) return first
    return post({ ...form, ...assertion(of) }, { dpop: dpopProof(url, by, { nonce }) })
  }
  const push = (change: Change = {}, headers: Record<string, string> = {}) =>
    world.push(signing, { client_id: undefined, ...assertion(), ...change }, headers)
  async function granted(change: Change = {}, headers: Record<string, string> = {}): Promise<URL> {
    const answer = await push(change, headers)
    const { request_uri = '' } = (await answer.json()) as { request_uri?: string }
    return world.wire.ada.answer(world.authorizationUrl({ client_id: signing.id, request_uri }), redirectUri)
  }

  describe('clients that others wrote', () => {
    it('§5.3.2.1-5, §5.3.2.1-6, §5.3.2.1-9: openid-client with private_key_jwt and DPoP', async () => {
      const der = world.key.privateKey.export({ format: 'der', type: 'pkcs8' })
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const privateKey = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
      const config = await discovered(signing, oidc.PrivateKeyJwt(privateKey))
      const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair())
      const url = await oidc.buildAuthorizationUrlWithPAR(config, await asked(), { DPoP })
      expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
      // it checks iss (§5.3.2.2-7)
      const callback = await world.wire.ada.answer(url.href, redirectUri)
      const checks = { pkceCodeVerifier: verifier }
      const first = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
      const second = await oidc.refreshTokenGrant(config, first.refresh_token ?? '', undefined, { DPoP })
      const third = await oidc.refreshTokenGrant(config, first.refresh_token ?? '', undefined, { DPoP })
      expect([second.refresh_token, third.refresh_token]).toEqual([first.refresh_token, first.refresh_token])
      for (const { token_type, access_token } of [first, second, third]) {
        expect(token_type).toBe('dpop')
        const api = new URL(running.audience)
        const with_ = { DPoP }
        const answer = await oidc.fetchProtectedResource(
          config,
          access_token,
          api,
          'GET',
          null,
          undefined,
          with_,
        )
        expect(answer.status).toBe(200)
      }
    })

    it('§5.3.2.1-5, §5.3.2.1-6: openid-client with a certificate', async () => {
      const config = await discovered(holding, oidc.TlsClientAuth())
      config[oidc.customFetch] = withCertificate
      const url = await oidc.buildAuthorizationUrlWithPAR(config, await asked())
      const callback = await world.wire.ada.answer(url.href, redirectUri)
      const tokens = await oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier })
      const api = new URL(running.audience)
      expect((await oidc.fetchProtectedResource(config, tokens.access_token, api, 'GET')).status).toBe(200)
      // whoever has the token and not the certificate
      const stolen = await fetch(api, { headers: { authorization: `Bearer ${tokens.access_token}` } })
      expect(stolen.status).toBe(401)
    })

    it('§5.3.2.1-4: oauth4webapi acts for itself at an API with the profile', async () => {
      const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: withCertificate }
      const issuer = new URL(world.issuer)
      const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
      const server = await oauth.processDiscoveryResponse(issuer, found)
      const me: oauth.Client = { client_id: holding.id }
      const parameters = { scope: 'treasury:read', resource: 'https://api.example/treasury' }
      const by = oauth.TlsClientAuth()
      const answer = await oauth.clientCredentialsGrantRequest(server, me, by, parameters, options)
      const { access_token } = await oauth.processClientCredentialsResponse(server, me, answer)
      const claims = JSON.parse(atob(access_token.split('.')[1] ?? ''))
      expect(claims).toMatchObject({ cnf: { 'x5t#S256': expect.any(String) }, aud: parameters.resource })
    })

    const discovered = (client: Client, authentication: oidc.ClientAuth) =>
      oidc.discovery(new URL(world.issuer), client.id, undefined, authentication, {
        algorithm: 'oauth2',
        execute: [oidc.allowInsecureRequests],
      })
    const asked = async () => ({
      redirect_uri: redirectUri,
      scope: 'invoices:read',
      resource: running.audience,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
  })

  describe('what is bounded', () => {
    it('§5.3.2.2-12: a pushed request lives less than 600 seconds, whatever is configured', async () => {
      expect(await (await push()).json()).toMatchObject({ expires_in: 599 })
    })

    it('§5.3.2.1-11: a code lives 60 seconds, whatever is configured', async () => {
      const { log } = await running.logged(() => granted())
      const lives = log
        .filter(({ type }) => type === 'grant.code-issued')
        .map(({ time, data }) => Number(data.expiresAt) - Date.parse(time) / 1000)
      expect(lives).toEqual([expect.any(Number)])
      expect(Math.max(...lives)).toBeLessThanOrEqual(60)
    })

    it('§5.3.2.1-12, §5.3.2.2-9: a code is good for the key that pushed, once', async () => {
      const redemption = (callback: URL) => world.wire.redemption(signing, codeOf(callback))
      const dpop = dpopProof(world.consent('/par'), key)
      const other = redemption(await granted({}, { dpop }))
      await expectRefusal(await proven(other, newKey()), { error: 'invalid_grant', says: 'bound to a key' })
      const once = redemption(await granted({}, { dpop: dpopProof(world.consent('/par'), key) }))
      expect((await proven(once)).status).toBe(200)
      await expectRefusal(await proven(once), { error: 'invalid_grant', says: 'used before' })
    })

    it('§5.3.2.1-9: a client that gets the profile keeps the refresh token that it has by then', async () => {
      const { profile: _, ...before } = bySignature()
      const other = await world.client(before)
      const of = { iss: other.id, sub: other.id }
      await untilStatus(400, () => post({ grant_type: 'client_credentials', ...assertion(of) }))
      const pushing = await world.push(other, { client_id: undefined, ...assertion(of) })
      const { request_uri = '' } = (await pushing.json()) as { request_uri?: string }
      const url = world.authorizationUrl({ client_id: other.id, request_uri })
      const code = codeOf(await world.wire.ada.answer(url, redirectUri))
      const tokens = async (form: Record<string, string>) =>
        (await world.wire.granted(await proven(form, key, of))).refresh_token
      const refreshed = (refresh_token: string) => tokens({ grant_type: 'refresh_token', refresh_token })
      let replaced = await tokens(world.wire.redemption(other, code))
      let current = await refreshed(replaced)
      expect(current).not.toBe(replaced)
      await world.update(other, bySignature())
      await eventually(async () => {
        const next = await refreshed(current)
        if (next === current) return
        replaced = current
        current = next
        throw new Error('The token service has not heard of the profile')
      })
      expect(await refreshed(current)).toBe(current)
      expect(await refreshed(replaced)).toBe(current) // ADR 0011: its answer may have been lost
    })

    it('§5.3.2.1-13: a clock may be ten seconds ahead', async () => {
      const ahead = assertion({ iat: now() + 9, nbf: now() + 9, exp: now() + 69 })
      expect((await push(ahead)).status).toBe(201)
    })
  })

  describe('what is refused to a client with the profile', () => {
    it.each<[string, object, string]>([
      ['§5.3.2.1-3: a public one', { token_endpoint_auth_method: 'none' }, '/jwks'],
      [
        '§5.3.2.1-6: a secret',
        { token_endpoint_auth_method: 'client_secret_basic' },
        '/token_endpoint_auth_m',
      ],
      ['§5.3.2.1-4: no binding', { dpop_bound_access_tokens: false }, '/dpop_bound_access_tokens'],
      ['§5.3.2.2-8: plain http', { redirect_uris: ['http://127.0.0.1/cb'] }, '/redirect_uris/0'],
      [
        '§5.3.2.1 Note 2: another grant',
        { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'], redirect_uris: [] },
        '/grant_types/0',
      ],
    ])('to be registered with %s', async (_, change, pointer) => {
      const body = { client_name: 'Refused', redirect_uris: [redirectUri], ...bySignature(), ...change }
      const answer = await world.register(body)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        errors: [{ pointer: expect.stringContaining(pointer) }],
      })
    })

    it.each<[string, () => [string, string][]]>([
      ['in the URL', () => world.parameters(signing)],
      ['signed', () => Object.entries({ client_id: signing.id, request: world.object(signing) })],
    ])(
      '§5.3.2.2-3, §5.3.2.2-7, §5.3.2.2-11: an authorization request %s, which was not pushed',
      async (_, query) => {
        const answer = await world.open(query())
        expect(answer.status).toBe(303)
        const { searchParams } = new URL(answer.headers.get('location') ?? '')
        expect(Object.fromEntries(searchParams)).toMatchObject({
          error: 'invalid_request',
          error_description: expect.stringContaining('must push'),
          iss: world.issuer,
        })
      },
    )

    const unauthenticated = { status: 401, error: 'invalid_client' }
    it.each<[string, () => Promise<Response>, { status?: number; error: string; says: string }]>([
      [
        '§5.3.2.2-4: a pushed request without client authentication',
        () => world.push(signing),
        { ...unauthenticated, says: 'failed' },
      ],
      [
        '§5.3.2.1-8: an assertion for the endpoint',
        () => push(assertion({ aud: world.consent('/par') })),
        { ...unauthenticated, says: 'must be the issuer identifier' },
      ],
      [
        '§5.3.2.1-8: an assertion for a list',
        () => push(assertion({ aud: [world.issuer] })),
        { ...unauthenticated, says: 'must be the issuer identifier' },
      ],
      [
        '§5.3.2.1-13: an assertion of the next minute, iat',
        () => push(assertion({ iat: now() + 70 })),
        { ...unauthenticated, says: 'future' },
      ],
      [
        '§5.3.2.1-13: an assertion of the next minute, nbf',
        () => push(assertion({ nbf: now() + 70 })),
        { ...unauthenticated, says: 'future' },
      ],
      [
        '§5.4.1-1: an assertion with RS256',
        () => push(assertion({}, 'RS256')),
        { ...unauthenticated, says: 'failed' },
      ],
      [
        '§5.4.1-1: a request object with RS256',
        () => {
          const request = world.object(signing, {}, { alg: 'RS256' }, world.signers.RS256)
          return world.post(Object.entries({ request, ...assertion() }))
        },
        { error: 'invalid_request_object', says: 'must be signed with one of' },
      ],
      [
        '§5.4.1-1: a DPoP proof with RS256',
        () => {
          const [rsa = key, url] = [world.signers.RS256, world.consent('/par')]
          return push({}, { dpop: dpopProof(url, rsa, {}, 'RS256') })
        },
        { error: 'invalid_dpop_proof', says: 'not valid' },
      ],
      [
        '§5.3.2.2-6: a pushed request without redirect_uri',
        () => push({ redirect_uri: undefined }),
        { error: 'invalid_request', says: "'redirect_uri' is missing" },
      ],
      [
        '§5.3.2.2-8: a redirect URI that is nearly right',
        () => push({ redirect_uri: `${redirectUri}/` }),
        { error: 'invalid_request', says: 'redirect_uri' },
      ],
      [
        '§5.3.2.2-5: no PKCE',
        () => push({ code_challenge: undefined }),
        { error: 'invalid_request', says: 'PKCE' },
      ],
      [
        '§5.3.2.2-5: plain PKCE',
        () => push({ code_challenge_method: 'plain' }),
        { error: 'invalid_request', says: 'S256' },
      ],
      [
        '§5.3.2.2-1: another response type',
        () => push({ response_type: 'token' }),
        { error: 'unsupported_response_type', says: 'code' },
      ],
      [
        '§5.3.2.1-4: a token that is not bound',
        () => post({ grant_type: 'client_credentials', ...assertion() }),
        { error: 'invalid_request', says: 'DPoP header is missing' },
      ],
      [
        '§5.3.2.1-4: a token that is bound to no certificate',
        () => post({ grant_type: 'client_credentials', client_id: holding.id }),
        { ...unauthenticated, says: 'failed' },
      ],
      [
        '§5.3.2.1-2: a password',
        () => proven({ grant_type: 'password', username: 'ada', password: 'x' }),
        { error: 'unsupported_grant_type', says: 'not supported' },
      ],
      [
        '§5.4.1-1: a token that is signed with RS256',
        () => proven({ grant_type: 'client_credentials', scope: 'ledgers:read' }),
        { error: 'invalid_target', says: 'signed with RS256' },
      ],
      [
        '§5.4.1-1: to ask a person for one',
        () => push({ scope: 'ledgers:read', resource: undefined }),
        { error: 'invalid_target', says: 'signed with RS256' },
      ],
    ])('%s', async (_, send, refusal) => {
      await expectRefusal(await send(), refusal)
    })
  })

  describe('an API with the profile takes no tokens of other clients', () => {
    const scope = 'treasury:read'
    const refusal = { error: 'invalid_target', says: 'clients with the profile fapi2' }

    it('§5.3.2.1-4: neither asked for at the authorization endpoint, nor pushed', async () => {
      const other = await world.client({ scope })
      const change = { scope, resource: 'https://api.example/treasury' }
      await expectRefusal(await world.push(other, change), refusal)
      const answer = await world.open(world.parameters(other, change))
      expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_target')
    })

    it('§5.3.2.1-4: nor at the token endpoint, however they are bound', async () => {
      const form = { grant_type: 'client_credentials', scope }
      const { profile: _, ...like } = { ...byCertificate, scope }
      const other = await world.client({
        ...like,
        token_endpoint_auth_method: 'client_secret_basic',
        tls_client_auth_san_dns: undefined,
      })
      await expectRefusal(await post(form, { ...world.wire.basic(other), 'client-cert': held }), refusal)
    })
  })

  it('§5.2.3-1, §5.2.3-3: browsers come back by TLS, and no script reads the authorization endpoint', async () => {
    const headers = { origin: 'https://app.example', 'x-forwarded-proto': 'https' }
    const answer = await fetch(world.authorizationUrl({ client_id: signing.id }), {
      redirect: 'manual',
      headers,
    })
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('§5.3.2.1-1: the metadata says what is there', async () => {
    const answer = await fetch(world.wire.url('/.well-known/oauth-authorization-server'))
    expect(await answer.json()).toMatchObject({
      issuer: world.issuer,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      require_pushed_authorization_requests: false, // of all clients; of these it is
      tls_client_certificate_bound_access_tokens: true,
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256', 'EdDSA']),
      token_endpoint_auth_methods_supported: expect.arrayContaining([
        'private_key_jwt',
        'tls_client_auth',
        'self_signed_tls_client_auth',
      ]),
    })
  })

  it('wrote no secret into any log', async () => {
    expect(await world.wire.leaks()).toEqual({})
  })
})
