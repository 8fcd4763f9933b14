import { X509Certificate } from 'node:crypto'
import { certificates } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { type Client, expectRefusal } from '../bad-input/wire.js'
import { type OwnSystem, startTwice, untilStatus } from '../running-system.js'
import { type Claims, newKey, RequestWorld, signed } from './request-world.js'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const proxy = { TRUSTED_PROXIES: '127.0.0.1,::1', CLIENT_CERTIFICATE_HEADER: 'client-cert' }
const held = (name: keyof typeof certificates) => ({
  'client-cert': `:${new X509Certificate(certificates[name]).raw.toString('base64')}:`,
})

describe('client authentication', () => {
  let running: OwnSystem
  let world: RequestWorld
  const settings = {
    token: { ...proxy, CLIENT_CERTIFICATE_AUTHORITIES: certificates.authority },
    resource: proxy,
  }
  beforeAll(async () => {
    running = await startTwice(settings)
    world = await RequestWorld.create(running)
  })
  afterAll(() => running?.stop())

  /** A client that acts for itself, once the token service has heard of it. */
  async function registered(proof: object): Promise<Client> {
    const body = {
      client_name: 'Batch',
      grant_types: ['client_credentials'],
      scope: 'invoices:read',
      ...proof,
    }
    const answer = (await (await world.register(body)).json()) as Record<string, string>
    // one that was registered later is known: so is this one
    const later = (await (await world.register({ ...body, ...bySecret })).json()) as Record<string, string>
    const headers = world.wire.basic({ id: later.client_id ?? '', secret: later.client_secret ?? '' })
    await untilStatus(200, () => post('/token', grant, headers))
    return { id: answer.client_id ?? '', secret: answer.client_secret ?? '', redirectUri: '' }
  }
  const bySecret = {
    token_endpoint_auth_method: 'client_secret_basic',
    jwks: undefined,
    tls_client_auth_san_dns: undefined,
    tls_client_certificate_bound_access_tokens: false,
  }
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    world.wire.post(path, form, headers)
  const grant = { grant_type: 'client_credentials' }

  describe('private_key_jwt (RFC 7523 §2.2, §3)', () => {
    let client: Client
    beforeAll(async () => {
      client = await registered({ token_endpoint_auth_method: 'private_key_jwt', jwks: world.jwks })
    })
    const asserting = (change: Claims = {}, key = world.key) => {
      const now = Math.floor(Date.now() / 1000)
      const claims = { iss: client.id, sub: client.id, aud: world.issuer, exp: now + 60, iat: now }
      const client_assertion = signed({ ...claims, jti: crypto.randomUUID(), ...change }, {}, key)
      return { client_assertion_type: assertionType, client_assertion }
    }

    it('openid-client gets a token', async () => {
      const config = await oidc.discovery(
        new URL(world.issuer),
        client.id,
        undefined,
        oidc.PrivateKeyJwt(await webKey()),
        { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] },
      )
      expect(await oidc.clientCredentialsGrant(config)).toMatchObject({ scope: 'invoices:read' })
    })

    it('oauth4webapi gets a token, asks about it and revokes it', async () => {
      const options = { [oauth.allowInsecureRequests]: true }
      const issuer = new URL(world.issuer)
      const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
      const server = await oauth.processDiscoveryResponse(issuer, found)
      const me: oauth.Client = { client_id: client.id }
      const proof = oauth.PrivateKeyJwt(await webKey())
      const asked = await oauth.clientCredentialsGrantRequest(server, me, proof, {}, options)
      const { access_token } = await oauth.processClientCredentialsResponse(server, me, asked)
      const introspect = async () =>
        oauth.processIntrospectionResponse(
          server,
          me,
          await oauth.introspectionRequest(server, me, proof, access_token, options),
        )
      expect(await introspect()).toMatchObject({ active: true, client_id: client.id })
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, me, proof, access_token, options),
      )
      expect(await introspect()).toEqual({ active: false })
    })

    const webKey = async () => {
      const der = world.key.privateKey.export({ format: 'der', type: 'pkcs8' })
      return crypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
    }

    it('§3: an assertion is good for one use, at every endpoint and after a restart', async () => {
      const proof = asserting()
      expect((await post('/token', { ...grant, ...proof })).status).toBe(200)
      const again = { status: 401, error: 'invalid_client', says: 'Client authentication failed.' }
      await expectRefusal(await post('/token', { ...grant, ...proof }), again)
      await expectRefusal(await post('/introspect', { token: 'x', ...proof }), again)
      const service = running.system.service('token')
      await service.restart()
      await expectRefusal(await post('/token', { ...grant, ...proof }), again)
      expect((await post('/token', { ...grant, ...asserting() })).status).toBe(200)
    })

    it.each<[string, Claims, string]>([
      ['§3 2: another subject', { sub: 'ledgerly' }, 'must both be the client_id'],
      ['§3 1: another issuer', { iss: 'other' }, 'must both be the client_id'],
      ['§3 3: another audience', { aud: 'https://other.example' }, 'must be the issuer identifier'],
      ['§3 4: past its end', { exp: 1 }, 'has expired'],
      ['§3 7: no name of its own', { jti: undefined }, 'needs a jti'],
    ])('%s', async (_, change, says) => {
      const answer = await post('/token', { ...grant, ...asserting(change) })
      await expectRefusal(answer, { status: 401, error: 'invalid_client', says })
    })

    it.each<[string, () => Record<string, string>, string]>([
      ['§3 9: signed by somebody else', () => asserting({}, newKey()), 'invalid_client'],
      [
        'RFC 7521 §4.2: another client beside it',
        () => ({ ...asserting(), client_id: 'ledgerly' }),
        'invalid_request',
      ],
      [
        'RFC 6749 §2.3: a secret beside it',
        () => ({ ...asserting(), client_secret: 'x' }),
        'invalid_request',
      ],
      ['§2.2: another type', () => ({ ...asserting(), client_assertion_type: 'x' }), 'invalid_client'],
      [
        'RFC 7521 §4.2: no type',
        () => ({ client_assertion: asserting().client_assertion }),
        'invalid_request',
      ],
      ['the client only names itself', () => ({ client_id: client.id }), 'invalid_client'],
    ])('%s is refused', async (_, proof, error) => {
      const answer = await post('/token', { ...grant, ...proof() })
      expect(await answer.json()).toMatchObject({ error })
    })
  })

  describe('mutual TLS (RFC 8705), as a proxy tells of it', () => {
    const byName = {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'client.example',
    }
    const x5c = [new X509Certificate(certificates.selfSigned).raw.toString('base64')]
    const selfSigned = () => ({
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [{ ...world.jwks.keys[0], x5c }] },
    })

    it('§2.1: a name in a certificate of a known authority, and nothing less', async () => {
      const { id } = await registered(byName)
      const form = { ...grant, client_id: id }
      expect((await post('/token', form, held('client'))).status).toBe(200)
      for (const headers of [{}, held('impostor'), held('serverOnly'), held('selfSigned')])
        expect((await post('/token', form, headers)).status).toBe(401)
      const nonsense = await post('/token', form, { 'client-cert': 'nonsense' })
      await expectRefusal(nonsense, { error: 'invalid_request', says: 'client certificate' })
    })

    it('§2.2: the certificate that was registered, and no other', async () => {
      const { id } = await registered(selfSigned())
      const form = { ...grant, client_id: id }
      expect((await post('/token', form, held('selfSigned'))).status).toBe(200)
      for (const headers of [{}, held('anotherSelfSigned'), held('client')])
        expect((await post('/token', form, headers)).status).toBe(401)
    })

    it('§3: a token that is bound to the certificate is only its holder’s', async () => {
      const { id } = await registered({ ...byName, tls_client_certificate_bound_access_tokens: true })
      const form = { ...grant, client_id: id, resource: running.audience }
      const { access_token, ...answer } = await world.wire.granted(await post('/token', form, held('client')))
      expect(answer).toMatchObject({ token_type: 'Bearer' })
      const thumbprint = { 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) }
      // §3.1, §3.2
      expect(JSON.parse(atob(access_token.split('.')[1] ?? ''))).toMatchObject({ cnf: thumbprint })
      const about = { token: access_token, client_id: id }
      expect(await (await post('/introspect', about, held('client'))).json()).toMatchObject({
        cnf: thumbprint,
      })
      const read = (headers: Record<string, string>) =>
        fetch(running.audience, { headers: { authorization: `Bearer ${access_token}`, ...headers } })
      expect((await read(held('client'))).status).toBe(403) // the token is good: a client has no invoices of its own
      for (const headers of [{}, held('impostor')]) {
        const refused = await read(headers)
        expect(refused.status).toBe(401)
        expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
      }
    })

    it('§3.4: a client that binds its tokens gets none without a certificate', async () => {
      const basic = world.wire.basic(await registered({ tls_client_certificate_bound_access_tokens: true }))
      expect((await post('/token', grant, { ...basic, ...held('client') })).status).toBe(200)
      const refused = await post('/token', grant, basic)
      await expectRefusal(refused, { error: 'invalid_request', says: 'possession of a certificate' })
    })

    it('§2, §3.3: is told in the metadata', async () => {
      const answer = await fetch(world.wire.url('/.well-known/oauth-authorization-server'))
      const metadata = (await answer.json()) as Record<string, unknown>
      expect(metadata.tls_client_certificate_bound_access_tokens).toBe(true)
      expect(metadata.token_endpoint_auth_methods_supported).toEqual(
        expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
      )
    })
  })
})
