import { jwtBearerGrantType } from '@grantlog/oauth'
import { eventually } from '@grantlog/testing'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningSystem, sharedSystem, untilStatus } from '../running-system.js'
import { DeviceWorld, deviceCodeGrant } from '../standards/device-world.js'
import { dpopProof, RequestWorld, signed } from '../standards/request-world.js'
import { type Client, expectRefusal, type Tokens, Wire } from './wire.js'

type Document = Readonly<Record<string, unknown>>

describe('what the token service tells about itself', () => {
  let running: RunningSystem
  let wire: Wire
  let metadata: Document
  let postClient: Client
  let requests: RequestWorld
  let signer: Client
  let devices: DeviceWorld
  let telly: Client
  beforeAll(async () => {
    running = await sharedSystem()
    wire = new Wire(running)
    postClient = await registerPostClient(wire)
    requests = await RequestWorld.create(running)
    signer = await requests.client({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: requests.jwks,
      grant_types: ['authorization_code', 'client_credentials'],
    })
    devices = await DeviceWorld.create(running)
    telly = await devices.client()
    const scopes = [{ name: 'statements', text: 'Read all statements', access: 'read' }]
    const api = { api_id: 'statements', audience: statements, name: 'Statements', scopes }
    const types = [{ type: 'statement', text: 'Read a statement' }]
    expect((await requests.registerApi({ ...api, authorization_details_types: types })).status).toBe(201)
    await eventually(async () => {
      metadata = await readMetadata()
      expect(metadata.authorization_details_types_supported).toContain('statement')
    })
  })

  const readMetadata = async () =>
    (await (await fetch(wire.url('/.well-known/oauth-authorization-server'))).json()) as Document

  const documents = ['/.well-known/oauth-authorization-server', '/jwks']

  describe.each(documents)('GET %s', path => {
    it.each(['POST', 'PUT', 'DELETE'])('refuses %s and says what is allowed', async method => {
      await expectRefusal(await fetch(wire.url(path), { method }), {
        status: 405,
        error: 'invalid_request',
        says: `${method} is not allowed`,
        headers: { allow: 'GET' },
      })
    })

    it('is the same whatever the query, whoever asks, and may be kept for five minutes', async () => {
      const plain = await fetch(wire.url(path))
      const odd = await fetch(wire.url(`${path}?client_id=%00&client_id=x`), {
        headers: { authorization: 'Bearer x', origin: 'https://app.example' },
      })
      expect([plain.status, odd.status]).toEqual([200, 200])
      expect(await odd.text()).toBe(await plain.text())
      expect(plain.headers.get('cache-control')).toBe('public, max-age=300')
      // applications in browsers read it too
      expect(odd.headers.get('access-control-allow-origin')).toBe('*')
    })
  })

  it.each(['/.well-known/oauth-authorization-server/other', '/jwks/1', '/nothing'])(
    'refuses %s: there is nothing there',
    async path => {
      await expectRefusal(await fetch(wire.url(path)), {
        status: 404,
        error: 'invalid_request',
        says: 'nothing at this address',
      })
    },
  )

  // an application in a browser is to know why
  it.each([
    ['/nothing', 404],
    ['/token', 405],
  ])('lets every origin read the refusal of %s', async (path, status) => {
    const response = await fetch(wire.url(path), { headers: { origin: 'https://app.example' } })
    expect(response.status).toBe(status)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-expose-headers')).toContain('dpop-nonce')
  })

  it('lets every origin send proofs to the token endpoint', async () => {
    const response = await fetch(wire.url('/token'), {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-methods')).toContain('POST')
    expect(response.headers.get('access-control-allow-headers')).toContain('dpop')
  })

  it.each(['/%', '/%ff', '/jwks%2'])('refuses %s: a malformed path', async path => {
    await expectRefusal(await wire.raw(wire.url(path), 'GET', {}), {
      error: 'invalid_request',
      says: 'path of the URL',
    })
  })

  it('publishes public halves only, each with its use (RFC 7517 §4)', async () => {
    const response = await fetch(String(metadata.jwks_uri))
    expect(response.headers.get('content-type')).toMatch(/^application\/jwk-set\+json\b/)
    const { keys } = (await response.json()) as { keys: Document[] }
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) {
      expect(key).toMatchObject({
        kty: 'EC',
        crv: 'P-256',
        alg: 'ES256',
        use: 'sig',
        kid: expect.any(String),
      })
      expect(key).not.toHaveProperty('d')
    }
  })

  /** One proof for each member of the document: a member without one fails the test. */
  const proofs: Readonly<Record<string, (value: unknown) => Promise<unknown>>> = {
    // RFC 8414 §3.3: the issuer "MUST be identical to the authorization server's issuer identifier"
    issuer: async value => expect(value).toBe(running.installation.url('token')),
    authorization_endpoint: async value => {
      const response = await fetch(
        `${value}?${new URLSearchParams({ response_type: 'code', client_id: wire.publicClient.id })}`,
        { redirect: 'manual' },
      )
      // without its other parameters it is refused: there, and by a page or a redirect
      expect(response.status).not.toBe(404)
      expect(response.status).toBeLessThan(500)
    },
    pushed_authorization_request_endpoint: async value => {
      expect(value).toBe(requests.consent('/par'))
      expect((await requests.push(wire.publicClient)).status).toBe(201)
    },
    device_authorization_endpoint: async value => {
      expect(value).toBe(devices.url('/device_authorization'))
      expect((await devices.begin(telly)).status).toBe(200)
    },
    require_pushed_authorization_requests: async value => {
      // RFC 9126 §5: of every client; those that must are registered so (§6)
      expect(value).toBe(false)
      await wire.authorize(wire.publicClient)
    },
    request_parameter_supported: async value => {
      expect(value).toBe(true)
      await signedRequest('ES256')
    },
    request_object_signing_alg_values_supported: value => each(value, ofAlgorithms(signedRequest)),
    request_uri_parameter_supported: async value => {
      // RFC 9126 §5: those that were pushed are taken all the same
      expect(value).toBe(false)
      const foreign = wire.publicClient
      const query = requests.parameters(foreign, { request_uri: 'https://client.example/request' })
      expect((await requests.open(query)).headers.get('location')).toContain('error=invalid_request_uri')
    },
    token_endpoint: value => expectPosted(value, { grant_type: 'x' }, 400),
    revocation_endpoint: value => expectPosted(value, { token: 'x' }, 200),
    introspection_endpoint: value => expectPosted(value, { token: 'x' }, 200),
    jwks_uri: async value => expect((await fetch(String(value))).status).toBe(200),
    response_types_supported: value => each(value, { code: () => wire.authorize(wire.publicClient) }),
    response_modes_supported: value => each(value, { query: () => wire.authorize(wire.publicClient) }),
    code_challenge_methods_supported: value => each(value, { S256: () => wire.tokens(wire.publicClient) }),
    authorization_response_iss_parameter_supported: async value => {
      expect(value).toBe(true) // flow.e2e.spec.ts: openid-client refuses a response without the right iss
    },
    grant_types_supported: value =>
      each(value, {
        authorization_code: () => wire.tokens(wire.confidential),
        refresh_token: async () => refreshed(wire, await wire.tokens(wire.publicClient)),
        client_credentials: () => wire.operatorToken(),
        [deviceCodeGrant]: async () => {
          const codes = await devices.begun(telly)
          await devices.ada.answer(codes)
          return devices.tokens(telly, codes)
        },
        [tokenExchange]: async () => {
          const form = { grant_type: 'client_credentials', ...inBody(postClient) }
          const { access_token } = await wire.granted(await wire.post('/token', form))
          const exchange = {
            grant_type: tokenExchange,
            subject_token: access_token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          }
          return wire.granted(await wire.post('/token', { ...exchange, ...inBody(postClient) }))
        },
        [jwtBearerGrantType]: async () => {
          const trusted = { issuer: 'https://idp.example', jwks: requests.jwks, scope: 'invoices:read' }
          const asserter = await requests.client({
            grant_types: ['authorization_code', jwtBearerGrantType],
            jwt_bearer: [{ ...trusted, audience: running.audience }],
          })
          const assertion = requests.object(asserter, { iss: trusted.issuer, sub: 'ada' }, { typ: 'JWT' })
          const form = { grant_type: jwtBearerGrantType, assertion }
          return wire.granted(await wire.post('/token', form, wire.basic(asserter)))
        },
      }),
    token_endpoint_auth_methods_supported: value =>
      each(value, {
        client_secret_basic: () => wire.tokens(wire.confidential),
        client_secret_post: async () => {
          const form = { grant_type: 'client_credentials', ...inBody(postClient) }
          return wire.granted(await wire.post('/token', form))
        },
        private_key_jwt: () => asserted('/token', 'ES256'),
        none: () => wire.tokens(wire.publicClient),
      }),
    token_endpoint_auth_signing_alg_values_supported: value => eachAlgorithm(value, '/token'),
    revocation_endpoint_auth_signing_alg_values_supported: value => eachAlgorithm(value, '/revoke'),
    introspection_endpoint_auth_signing_alg_values_supported: value => eachAlgorithm(value, '/introspect'),
    authorization_details_types_supported: async value => {
      // RFC 9396 §10: every API's, whichever there are when it is asked
      expect(value).toEqual(await requests.detailsTypes())
      const reader = await requests.client({ authorization_details_types: ['statement'] })
      const request = {
        scope: undefined,
        resource: statements,
        authorization_details: JSON.stringify([{ type: 'statement' }]),
      }
      expect((await requests.push(reader, request)).status).toBe(201)
    },
    dpop_signing_alg_values_supported: value =>
      each(
        value,
        ofAlgorithms(alg => proven(alg)),
      ),
    revocation_endpoint_auth_methods_supported: value => each(value, authenticated('/revoke')),
    introspection_endpoint_auth_methods_supported: value => each(value, authenticated('/introspect')),
    introspection_signing_alg_values_supported: value =>
      each(value, {
        ES256: async () => {
          const accept = 'application/token-introspection+jwt'
          const headers = { ...wire.basic(wire.confidential), accept }
          const response = await wire.post('/introspect', { token: 'x' }, headers)
          expect(response.headers.get('content-type')).toBe(accept)
        },
      }),
  }

  const ofAlgorithms = (proof: (alg: string) => Promise<unknown>) =>
    Object.fromEntries(Object.keys(requests.signers).map(alg => [alg, () => proof(alg)]))
  const eachAlgorithm = (value: unknown, path: string) =>
    each(
      value,
      ofAlgorithms(alg => asserted(path, alg)),
    )
  const signerOf = (alg: string) => {
    const key = requests.signers[alg]
    if (key === undefined) throw new Error(`Nobody signs with ${alg}`)
    return key
  }

  /** RFC 7523 §2.2 */
  async function asserted(path: string, alg: string, headers = {}) {
    const now = Math.floor(Date.now() / 1000)
    const names = { iss: signer.id, sub: signer.id, aud: requests.issuer, jti: crypto.randomUUID() }
    const form = {
      ...(path === '/token' ? { grant_type: 'client_credentials' } : { token: 'x' }),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signed({ ...names, exp: now + 60 }, { alg }, signerOf(alg)),
    }
    const response = await wire.post(path, form, headers)
    if (!('dpop' in headers)) expect(response.status).toBe(200)
    return response
  }

  /** RFC 9449 §4.2, §8 */
  async function proven(alg: string) {
    const ask = (claims: object) =>
      asserted('/token', 'ES256', { dpop: dpopProof(wire.url('/token'), signerOf(alg), { ...claims }, alg) })
    const nonce = (await ask({})).headers.get('dpop-nonce')
    expect(await (await ask({ nonce })).json()).toMatchObject({ token_type: 'DPoP' })
  }

  async function signedRequest(alg: string) {
    const request = requests.object(signer, {}, { alg }, requests.signers[alg])
    const response = await requests.open({ client_id: signer.id, request })
    expect(response.headers.get('location')).toMatch(/^\/authorize\?client_id=[^&]+&request_uri=/)
  }

  async function expectPosted(endpoint: unknown, form: Record<string, string>, status: number) {
    const response = await fetch(String(endpoint), {
      method: 'POST',
      headers: wire.basic(wire.confidential),
      body: new URLSearchParams(form),
    })
    expect(response.status).toBe(status)
  }

  function authenticated(path: string): Record<string, () => Promise<unknown>> {
    const post = async (form: Record<string, string>, headers = {}) => {
      expect((await wire.post(path, { token: 'x', ...form }, headers)).status).toBe(200)
    }
    return {
      client_secret_basic: () => post({}, wire.basic(wire.confidential)),
      client_secret_post: () => post(inBody(postClient)),
      private_key_jwt: () => asserted(path, 'ES256'),
      ...(path !== '/introspect' && { none: () => post({ client_id: wire.publicClient.id }) }),
    }
  }

  it('names what it proves, and nothing else', () => {
    expect(Object.keys(metadata).toSorted()).toEqual(Object.keys(proofs).toSorted())
  })

  it.each(Object.keys(proofs))('%s is alive', async name => {
    await proofs[name]?.(metadata[name])
    expect.hasAssertions()
  })

  it('does not take a method at introspection that it does not name', async () => {
    expect(metadata.introspection_endpoint_auth_methods_supported).not.toContain('none')
    const form = { token: 'x', client_id: wire.publicClient.id }
    expect((await wire.post('/introspect', form)).status).toBe(401)
  })
})

const statements = 'https://statements.example/'
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Every value that is advertised has a proof, every proof is of a value that is advertised, and each succeeds. */
async function each(values: unknown, proofs: Readonly<Record<string, () => Promise<unknown>>>) {
  expect(values).toEqual(expect.arrayContaining(Object.keys(proofs)))
  expect(values).toHaveLength(Object.keys(proofs).length)
  for (const proof of Object.values(proofs)) await proof()
}

const inBody = ({ id, secret = '' }: Client) => ({ client_id: id, client_secret: secret })

async function refreshed(wire: Wire, { refresh_token }: Tokens): Promise<Tokens> {
  const form = { grant_type: 'refresh_token', refresh_token, ...wire.named(wire.publicClient) }
  return wire.granted(await wire.post('/token', form))
}

/** The demonstration has no client that sends its secret in the body. */
async function registerPostClient(wire: Wire): Promise<Client> {
  const response = await fetch(`${wire.running.installation.url('clients')}/clients`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await wire.operatorToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Batch',
      grant_types: ['client_credentials', tokenExchange],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'invoices:read',
    }),
  })
  const { client_id, client_secret } = (await response.json()) as Record<string, unknown>
  const client = { id: String(client_id), secret: String(client_secret), redirectUri: '' }
  // the token service hears of it by its event
  await untilStatus(200, () => wire.post('/token', { grant_type: 'client_credentials', ...inBody(client) }))
  return client
}
