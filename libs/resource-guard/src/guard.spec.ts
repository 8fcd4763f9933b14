import { signingAlgorithms } from '@grantlog/oauth'
import { beforeAll, describe, expect, it } from '@jest/globals'
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { Freshness } from './freshness.js'
import { Guard, type GuardOptions } from './guard.js'
import { GuardError } from './guard-error.js'
import { importKey } from './keys.js'
import { RevocationSet } from './revocation-set.js'

const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com/invoices'
const now = 1_800_000_000

const claims = {
  iss: issuer,
  aud: audience,
  sub: 'ada',
  client_id: 'ledgerly',
  jti: 'token-1',
  scope: 'invoices:read invoices:write',
  iat: now,
  exp: now + 600,
  family: 'family-1',
  grant: 'grant-1',
}
/** A token that another was exchanged for. */
const ancestor = { jti: 'token-0', sub: 'ada', client_id: 'web', iat: now - 60, kid: 'key-0' }
type Change = Readonly<Record<string, unknown>>

describe('the guard', () => {
  let privateKey: CryptoKey
  let publicKey: CryptoKey
  let rsa: CryptoKey
  beforeAll(async () => {
    ;({ privateKey, publicKey } = await generateKeyPair('ES256'))
    rsa = (await generateKeyPair('RS256')).privateKey
  })

  function guard(options: Partial<GuardOptions> = {}) {
    const revocations = new RevocationSet({ now: () => now })
    const freshness = new Freshness(['token'])
    freshness.alive('token', new Date(now * 1000))
    return new Guard({
      issuer,
      audience,
      revocations,
      freshness,
      keys: async keyId => (keyId === 'key-1' ? publicKey : undefined),
      now: () => new Date(now * 1000),
      ...options,
    })
  }

  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1' }
  const sign = (change: Change = {}, headerChange: Change = {}, key: CryptoKey | Uint8Array = privateKey) =>
    new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ ...header, ...headerChange } as JWTHeaderParameters)
      .sign(key)
  const verify = (token: string, need?: { scope: string[] }, options?: Partial<GuardOptions>) =>
    guard(options).verify({ authorization: `Bearer ${token}` }, need)

  /** How the request is refused. @throws when it is not */
  async function refusal(verified: Promise<unknown>) {
    const error = await verified.then(
      () => new Error('it was let through'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof GuardError)) throw error
    return { status: error.status, ...error.toJSON(), headers: error.headers, detail: error.detail }
  }

  it('reads a good token', async () => {
    expect(await verify(await sign())).toEqual({
      tokenId: 'token-1',
      subject: 'ada',
      clientId: 'ledgerly',
      scopes: ['invoices:read', 'invoices:write'],
      familyId: 'family-1',
      grantId: 'grant-1',
      organizationId: undefined,
      owner: { kind: 'person', id: 'ada' },
      authorizationDetails: [],
      actors: [],
      issuedAt: now,
      expiresAt: now + 600,
    })
  })

  it.each<[string, Change, object]>([
    ['a company', { organization: 'engines' }, { kind: 'organization', id: 'engines' }],
    ['a client that acts for itself', { grant: undefined }, { kind: 'client', id: 'ada' }],
    ['whom another issuer names', { grant: undefined, sub: 'jwt:x' }, { kind: 'foreign', id: 'jwt:x' }],
  ])('says that the resources are those of %s', async (_, change, owner) => {
    expect((await verify(await sign(change))).owner).toEqual(owner)
  })

  it('says who acts for the subject, the current actor first (RFC 8693 §4.1)', async () => {
    const act = { sub: 'portal-api', act: { sub: 'gateway', iss: 'https://other.example' } }
    expect((await verify(await sign({ act }))).actors).toEqual(['portal-api', 'gateway'])
  })

  it('says what the token is for in detail (RFC 9396 §9.1)', async () => {
    const details = [{ type: 'payment', amount: { value: '12.00' } }]
    const token = await verify(await sign({ authorization_details: details }))
    expect(token.authorizationDetails).toEqual(details)
  })

  it.each<[string, Change, Change?]>([
    ['several audiences, ours among them', { aud: ['https://other.example', audience] }],
    ['no scope in it', { scope: '' }],
    ['an exp within the tolerance', { exp: now - 4 }],
    ['an iat within the tolerance', { iat: now + 5 }],
    ['claims that it does not know', { acr: '1', future: { a: 1 } }],
    // RFC 9068 §2.1: 'the "application/" prefix' may be there or not
    ['the long form of its type', {}, { typ: 'application/at+jwt' }],
  ])('takes a token with %s', async (_, change, headerChange = {}) => {
    expect((await verify(await sign(change, headerChange))).tokenId).toBe('token-1')
  })

  /** RFC 9068 §4, each with a signature that is right. The answer does not tell which it was. */
  it.each<[string, Change, Change?]>([
    ['typ JWT', {}, { typ: 'JWT' }],
    ['no typ', {}, { typ: undefined }],
    ['an id token’s typ', {}, { typ: 'id_token+jwt' }],
    ['another issuer', { iss: 'https://other.example' }],
    ['an issuer with a slash more', { iss: `${issuer}/` }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'https://other.example' }],
    ['an audience that begins with ours', { aud: `${audience}/1` }],
    ['audiences without ours', { aud: ['a', 'b'] }],
    ['no audience', { aud: undefined }],
    ['an iat in the future', { iat: now + 6 }],
    ['an nbf in the future', { nbf: now + 6 }],
    ['a key that the issuer has not', {}, { kid: 'key-2' }],
    ['no kid', {}, { kid: undefined }],
    ...['exp', 'iat', 'sub', 'client_id', 'jti', 'scope'].map((name): [string, Change] => [
      `no ${name}`,
      { [name]: undefined },
    ]),
    ...['exp', 'iat', 'sub', 'client_id', 'jti', 'scope', 'family', 'grant', 'organization'].map(
      (name): [string, Change] => [`${name} of another type`, { [name]: { a: 1 } }],
    ),
    ['scope as a list', { scope: ['invoices:read'] }],
    ['exp as text', { exp: String(now + 600) }],
    ['an actor without a name', { act: { iss: issuer } }],
    ['an actor before it without a name', { act: { sub: 'portal-api', act: {} } }],
    ['an actor as text', { act: 'portal-api' }],
    ['authorization details that are no list', { authorization_details: {} }],
    ['authorization details without a type', { authorization_details: [{}] }],
    ['authorization details as texts', { authorization_details: ['payment'] }],
    ['a lineage that is no list', { lineage: ancestor }],
    ...['jti', 'sub', 'client_id', 'iat', 'kid'].map((name): [string, Change] => [
      `no ${name} in its lineage`,
      { lineage: [ancestor, { ...ancestor, [name]: undefined }] },
    ]),
    ...['family', 'grant', 'organization'].map((name): [string, Change] => [
      `${name} of another type in its lineage`,
      { lineage: [{ ...ancestor, [name]: 1 }] },
    ]),
  ])('refuses a token with %s', async (_, change, headerChange = {}) => {
    expect(await refusal(verify(await sign(change, headerChange)))).toMatchObject({
      status: 401,
      error: 'invalid_token',
      error_description: 'The access token is not valid.',
      detail: expect.any(String),
    })
  })

  it('refuses an expired token, and says so', async () => {
    for (const exp of [now - 5, now - 600]) {
      expect(await refusal(verify(await sign({ exp })))).toMatchObject({
        status: 401,
        error: 'invalid_token',
        error_description: 'The access token has expired.',
      })
    }
  })

  describe.each(signingAlgorithms)('of tokens signed with %s', algorithm => {
    const signed = async () => {
      const pair = await generateKeyPair(algorithm, { extractable: true })
      const key = await importKey({ ...(await exportJWK(pair.publicKey)), alg: algorithm })
      return { token: await sign({}, { alg: algorithm }, pair.privateKey), keys: async () => key }
    }

    it('accepts them', async () => {
      const { token, keys } = await signed()
      expect((await verify(token, undefined, { keys })).tokenId).toBe('token-1')
      expect((await verify(token, undefined, { keys, algorithms: [algorithm] })).tokenId).toBe('token-1')
    })

    it('refuses them where it takes only others', async () => {
      const { token, keys } = await signed()
      const algorithms = signingAlgorithms.filter(other => other !== algorithm)
      expect(await refusal(verify(token, undefined, { keys, algorithms }))).toMatchObject({ status: 401 })
    })
  })

  it.each([['PS256', 'RS256'] as const, ['RS256', 'PS256'] as const])(
    'refuses %s with a key that is for %s (RFC 8725 §3.1)',
    async (algorithm, published) => {
      const pair = await generateKeyPair(algorithm, { extractable: true })
      const key = await importKey({ ...(await exportJWK(pair.publicKey)), alg: published })
      const token = await sign({}, { alg: algorithm }, pair.privateKey)
      const refused = await refusal(verify(token, undefined, { keys: async () => key }))
      expect(refused).toMatchObject({ status: 401, error: 'invalid_token' })
    },
  )

  it.each([[['none']], [['HS256']], [['ES256', 'HS256']], [[]]])('is not made for %j', algorithms => {
    expect(() => guard({ algorithms: algorithms as never })).toThrow(
      'algorithms must be some of ES256, EdDSA',
    )
  })

  it.each<[string, () => Promise<string> | string]>([
    ['a secret that is the public key', () => sign({}, { alg: 'HS256' }, new TextEncoder().encode(issuer))],
    ['no signature', () => new UnsecuredJWT(claims).encode()],
    ['the algorithm of another key type', () => sign({}, { alg: 'RS256' }, rsa)],
    ['a signature of another key', async () => sign({}, {}, (await generateKeyPair('ES256')).privateKey)],
    [
      'an extension that must be understood', // RFC 7515 §4.1.11
      () =>
        new SignJWT(claims)
          .setProtectedHeader({ ...header, crit: ['x'], x: 1 })
          .sign(privateKey, { crit: { x: true } }),
    ],
    ['nothing in it', () => '..'],
    ['no form of a JWT', () => 'opaque'],
  ])('refuses a token with %s', async (_, make) => {
    expect(await refusal(verify(await make()))).toMatchObject({ status: 401, error: 'invalid_token' })
  })

  it('refuses a token that is longer than 8192 characters, without reading it', async () => {
    const keys = async () => {
      throw new Error('it was read')
    }
    const text = await sign({ padding: 'x'.repeat(8192) })
    expect(await refusal(verify(text, undefined, { keys }))).toMatchObject({
      status: 401,
      error_description: 'The access token is too long.',
    })
  })

  describe('challenges (RFC 6750 §3)', () => {
    const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource/invoices'

    it.each([undefined, '', 'Basic YTpi', 'DPoPabc', 'Bearerabc'])('no token: %s', async authorization => {
      expect(await refusal(guard({ resourceMetadata }).verify({ authorization }))).toMatchObject({
        status: 401,
        error: 'unauthorized',
        // "the resource server SHOULD NOT include an error code or other error information"
        headers: {
          'www-authenticate': `Bearer resource_metadata="${resourceMetadata}", DPoP resource_metadata="${resourceMetadata}", algs="ES256 Ed25519 EdDSA PS256 RS256"`,
        },
      })
    })

    it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a, Bearer b', 'bearer ä'])(
      'malformed: %s',
      async authorization => {
        const refused = await refusal(guard().verify({ authorization }))
        expect(refused).toMatchObject({ status: 400, error: 'invalid_request' })
        expect(refused.headers['www-authenticate']).toMatch(/^Bearer error="invalid_request"/)
      },
    )

    it('a token in the header, and a parameter access_token', async () => {
      const authorization = `Bearer ${await sign()}`
      expect(await refusal(guard().verify({ authorization, tokenInQuery: true }))).toMatchObject({
        status: 400,
        error: 'invalid_request',
      })
    })

    it('a missing scope is named, with all that are needed', async () => {
      const token = await sign({ scope: 'a' })
      expect(await refusal(verify(token, { scope: ['a', 'b'] }))).toMatchObject({
        status: 403,
        error: 'insufficient_scope',
        error_description: 'The access token lacks the scope b.',
        headers: { 'www-authenticate': expect.stringContaining('scope="a b"') },
      })
      expect((await verify(token, { scope: ['a'] })).scopes).toEqual(['a'])
    })

    it('a scope is not taken for one that it begins with', async () => {
      const token = await sign({ scope: 'invoices:read-all' })
      expect(await refusal(verify(token, { scope: ['invoices:read'] }))).toMatchObject({ status: 403 })
    })

    it('keys that can not be read are no fault of the token', async () => {
      const keys = async () => {
        throw new TypeError('fetch failed')
      }
      const refused = await refusal(verify(await sign(), undefined, { keys }))
      expect(refused).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
      expect(refused.headers).toEqual({ 'retry-after': '1' })
      expect(refused.error_description).not.toContain('fetch failed')
    })
  })
})
