import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { type Client, expectRefusal, type Tokens } from '../bad-input/wire.js'
import { type RunningSystem, sharedSystem } from '../running-system.js'
import {
  type Claims,
  codeOf,
  dpopProof,
  type KeyPair,
  newKey,
  RequestWorld,
  redirectUri,
  signed,
  thumbprint,
  verifier,
} from './request-world.js'

describe('DPoP (RFC 9449)', () => {
  let running: RunningSystem
  let world: RequestWorld
  let publicClient: Client
  let binding: Client
  beforeAll(async () => {
    running = await sharedSystem()
    world = await RequestWorld.create(running)
    const grant_types = ['authorization_code', 'refresh_token']
    publicClient = await world.client({ token_endpoint_auth_method: 'none', grant_types })
    binding = await world.client({
      grant_types: [...grant_types, 'client_credentials'],
      dpop_bound_access_tokens: true,
    })
  })

  const tokenUrl = () => world.wire.url('/token')
  let nonce: string
  /** With the nonce that the server wants. */
  const proof = (key: KeyPair, change: Claims = {}, url = tokenUrl()) =>
    dpopProof(url, key, { nonce, ...change })
  const post = (form: Record<string, string>, headers: Record<string, string>) =>
    world.wire.post('/token', form, headers)
  const ofItself = { grant_type: 'client_credentials' }
  beforeAll(async () => {
    const answer = await post(ofItself, { ...world.wire.basic(binding), dpop: proof(newKey()) })
    nonce = answer.headers.get('dpop-nonce') ?? ''
  })

  async function redeemed(client: Client, key: KeyPair, query: Record<string, string> = {}) {
    const url = world.authorizationUrl([...world.parameters(client), ...Object.entries(query)])
    const code = codeOf(await world.wire.ada.answer(url, redirectUri))
    const headers = { ...world.wire.authentication(client), dpop: proof(key) }
    return post({ ...world.wire.redemption(client, code), code_verifier: verifier }, headers)
  }
  const refreshed = (client: Client, refresh_token: string, headers: Record<string, string>) =>
    post(
      { grant_type: 'refresh_token', refresh_token, ...world.wire.named(client) },
      { ...world.wire.authentication(client), ...headers },
    )
  const read = (token: string, key: KeyPair, change: Claims = {}) => {
    const ath = createHash('sha256').update(token).digest('base64url')
    const dpop = dpopProof(running.audience, key, { htm: 'GET', ath, ...change })
    return fetch(running.audience, { headers: { authorization: `DPoP ${token}`, dpop } })
  }

  describe('clients that others wrote', () => {
    it('openid-client: code, API, refresh, API', async () => {
      const config = await oidc.discovery(new URL(world.issuer), publicClient.id, undefined, oidc.None(), {
        algorithm: 'oauth2',
        execute: [oidc.allowInsecureRequests],
      })
      const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair())
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'invoices:read',
        resource: running.audience,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        dpop_jkt: await DPoP.calculateThumbprint(),
      })
      const callback = await world.wire.ada.answer(url.href, redirectUri)
      const checks = { pkceCodeVerifier: verifier }
      const first = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
      const second = await oidc.refreshTokenGrant(config, first.refresh_token ?? '', undefined, { DPoP })
      for (const { token_type, access_token } of [first, second]) {
        expect(token_type).toBe('dpop')
        const api = new URL(running.audience)
        const answer = await oidc.fetchProtectedResource(config, access_token, api, 'GET', null, undefined, {
          DPoP,
        })
        expect(answer.status).toBe(200)
      }
    })

    it('oauth4webapi: client credentials, the nonce, the API', async () => {
      const options = { [oauth.allowInsecureRequests]: true }
      const issuer = new URL(world.issuer)
      const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
      const server = await oauth.processDiscoveryResponse(issuer, found)
      const client: oauth.Client = { client_id: binding.id }
      const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
      const parameters = { scope: 'invoices:read', resource: running.audience }
      const ask = async () => {
        const auth = oauth.ClientSecretBasic(binding.secret ?? '')
        const asking = { DPoP, ...options }
        const answer = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, asking)
        return oauth.processClientCredentialsResponse(server, client, answer)
      }
      const { access_token, token_type } = await ask().catch((error: unknown) => {
        if (oauth.isDPoPNonceError(error)) return ask() // §8
        throw error
      })
      expect(token_type).toBe('dpop')
      const api = new URL(running.audience)
      const answer = await oauth.protectedResourceRequest(access_token, 'GET', api, undefined, null, {
        DPoP,
        ...options,
      })
      expect(answer.status).toBe(403) // the token is good: a client has no invoices of its own
    })
  })

  it('§5, §6: the answer, the token and introspection say what the token is bound to', async () => {
    const key = newKey()
    const headers = { ...world.wire.basic(binding), dpop: proof(key) }
    const answer = await post(ofItself, headers)
    expect(answer.headers.get('dpop-nonce')).toEqual(expect.any(String)) // §8.2
    const { access_token, ...rest } = await world.wire.granted(answer)
    expect(rest).toMatchObject({ token_type: 'DPoP' })
    const cnf = { jkt: thumbprint(key) }
    expect(JSON.parse(atob(access_token.split('.')[1] ?? ''))).toMatchObject({ cnf })
    const about = await world.wire.post('/introspect', { token: access_token }, world.wire.basic(binding))
    expect(await about.json()).toMatchObject({ active: true, token_type: 'DPoP', cnf })
    const { log } = await running.logged(() => post(ofItself, { ...headers, dpop: proof(key) }))
    expect(log).toMatchObject([
      { type: 'token.issued', data: { boundTo: { kind: 'dpop', thumbprint: thumbprint(key) } } },
    ])
  })

  describe('§4.3, §5: a proof that proves nothing gets no token', () => {
    const key = newKey()
    it.each<[string, () => string, string]>([
      ['two proofs', () => `${proof(key)}, ${proof(key)}`, 'exactly one JWT'],
      ['no JWT', () => 'nonsense', 'exactly one JWT'],
      ['another type', () => signed({ nonce }, { typ: 'JWT' }, key), 'not valid'],
      [
        'a private key in it',
        () => signed({ nonce }, { typ: 'dpop+jwt', jwk: key.privateKey.export({ format: 'jwk' }) }, key),
        'not valid',
      ],
      ['another method', () => proof(key, { htm: 'GET' }), 'htm'],
      ['another URL', () => proof(key, {}, world.wire.url('/introspect')), 'htu'],
      ['an old one', () => proof(key, { iat: 1 }), 'iat'],
      ['no id', () => proof(key, { jti: undefined }), 'jti'],
    ])('%s', async (_, make, says) => {
      const answer = await post(ofItself, { ...world.wire.basic(binding), dpop: make() })
      await expectRefusal(answer, { error: 'invalid_dpop_proof', says })
    })

    it('one that was used before (§11.1)', async () => {
      const headers = { ...world.wire.basic(binding), dpop: proof(key) }
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(ofItself, headers)))
      const statuses = answers.map(({ status }) => status)
      expect(statuses.toSorted()).toEqual([200, ...Array(19).fill(400)])
    })

    it.each([undefined, 'another'])('one without the server’s nonce (§8): %s', async wrong => {
      const headers = { ...world.wire.basic(binding), dpop: proof(key, { nonce: wrong }) }
      await expectRefusal(await post(ofItself, headers), {
        error: 'use_dpop_nonce',
        says: 'DPoP-Nonce',
        headers: { 'dpop-nonce': expect.stringMatching(/^[\w-]{22}$/) },
      })
    })

    it('none, from a client that binds its tokens (§5.2)', async () => {
      const answer = await post(ofItself, world.wire.basic(binding))
      await expectRefusal(answer, { error: 'invalid_request', says: 'DPoP header is missing' })
    })
  })

  it('§10: a code that is bound to a key is redeemed with no other, nor without one', async () => {
    const key = newKey()
    expect((await redeemed(publicClient, key, { dpop_jkt: thumbprint(key) })).status).toBe(200)
    const other = await redeemed(publicClient, newKey(), { dpop_jkt: thumbprint(key) })
    await expectRefusal(other, { error: 'invalid_grant', says: 'bound to a key' })
    const url = world.authorizationUrl([...world.parameters(publicClient), ['dpop_jkt', thumbprint(key)]])
    const code = codeOf(await world.wire.ada.answer(url, redirectUri))
    const bare = await post({ ...world.wire.redemption(publicClient, code), code_verifier: verifier }, {})
    await expectRefusal(bare, { error: 'invalid_grant', says: 'bound to a key' })
    expect(
      (await world.open([...world.parameters(publicClient), ['dpop_jkt', 'x']])).headers.get('location'),
    ).toContain('error=invalid_request')
  })

  describe('§5: the refresh token of a public client is bound to its key', () => {
    const family = async (key: KeyPair): Promise<Tokens> =>
      world.wire.granted(await redeemed(publicClient, key))

    it('refreshed a hundred times at once with it: all succeed, with one successor', async () => {
      const key = newKey()
      const { refresh_token } = await family(key)
      const { result, log } = await running.logged(() =>
        Promise.all(
          Array.from({ length: 100 }, async () =>
            world.wire.granted(await refreshed(publicClient, refresh_token, { dpop: proof(key) })),
          ),
        ),
      )
      expect(new Set(result.map(tokens => tokens.refresh_token)).size).toBe(1)
      expect(log.filter(({ data }) => data.refresh !== undefined)).toHaveLength(1)
      expect((await read(result[57]?.access_token ?? '', key)).status).toBe(200)
    })

    it('without a proof it is refused, and nothing is lost', async () => {
      const key = newKey()
      const { refresh_token } = await family(key)
      const bare = await refreshed(publicClient, refresh_token, {})
      await expectRefusal(bare, { error: 'invalid_grant', says: 'bound to a key' })
      expect((await refreshed(publicClient, refresh_token, { dpop: proof(key) })).status).toBe(200)
    })

    it('with another key it is theft: the family is revoked', async () => {
      const key = newKey()
      const { refresh_token } = await family(key)
      const { result, log } = await running.logged(() =>
        refreshed(publicClient, refresh_token, { dpop: proof(newKey()) }),
      )
      expect(await result.json()).toMatchObject({ error: 'invalid_grant' })
      expect(log.map(({ type }) => type)).toEqual(['refresh.replayed', 'token.revoked'])
      expect((await refreshed(publicClient, refresh_token, { dpop: proof(key) })).status).toBe(400)
    })

    it('of a confidential client it is the client’s, whatever key it uses', async () => {
      const { refresh_token } = await world.wire.granted(await redeemed(binding, newKey()))
      const key = newKey()
      const next = await world.wire.granted(await refreshed(binding, refresh_token, { dpop: proof(key) }))
      expect((await read(next.access_token, key)).status).toBe(200)
    })
  })

  it('§7: at the API the token is its holder’s, and each proof is good for one use', async () => {
    const key = newKey()
    const { access_token } = await world.wire.granted(await redeemed(publicClient, key))
    const jti = crypto.randomUUID()
    expect((await read(access_token, key, { jti })).status).toBe(200)
    const again = await read(access_token, key, { jti })
    expect(again.status).toBe(401)
    expect(again.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_dpop_proof".*algs="ES256/)
    expect((await read(access_token, newKey())).status).toBe(401)
    const asBearer = await fetch(running.audience, { headers: { authorization: `Bearer ${access_token}` } })
    expect(asBearer.status).toBe(401) // §7.2
  })
})
