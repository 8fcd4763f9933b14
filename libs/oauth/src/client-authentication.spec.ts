import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { certificates } from '@grantlog/testing'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type JWK, SignJWT } from 'jose'
import { JWT_BEARER_ASSERTION } from './client-assertion.js'
import {
  authenticateClient,
  type ClientAuthenticationMethod,
  type RegisteredClient,
  readClientCredentials,
} from './client-authentication.js'
import { thumbprintOf } from './client-certificate.js'
import { hashSecret, parseSecretKeys } from './client-secret.js'
import { OAuthError } from './errors.js'
import { parseParameters } from './parameters.js'

const read = (authorization: string | undefined, body = '') =>
  readClientCredentials({ authorization, parameters: parseParameters(body) })
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`

// RFC 6749 §2.3.1
const BASIC = 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW'

describe('readClientCredentials', () => {
  test.each([
    ['Basic, the example of RFC 6749 §2.3.1', BASIC, '', 'client_secret_basic', 's6BhdRkqt3', 'gX1fBat3bV'],
    [
      'Basic beside the same client_id',
      BASIC,
      'client_id=s6BhdRkqt3',
      'client_secret_basic',
      's6BhdRkqt3',
      'gX1fBat3bV',
    ],
    [
      'the body, the example of RFC 6749 §2.3.1',
      undefined,
      'grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw',
      'client_secret_post',
      's6BhdRkqt3',
      '7Fjfp0ZBr1KtDRbnfVdmIw',
    ],
    ['a public client (RFC 6749 §3.2.1)', undefined, 'client_id=s6BhdRkqt3', 'none', 's6BhdRkqt3', undefined],
    [
      'an empty secret in the body as none (RFC 6749 §3.2)',
      undefined,
      'client_id=a&client_secret=',
      'none',
      'a',
      undefined,
    ],
    [
      'both parts form-urlencoded (RFC 6749 §2.3.1)',
      basic('a%3Ab+c:p%25%2B%3A'),
      '',
      'client_secret_basic',
      'a:b c',
      'p%+:',
    ],
    ['a colon in the secret (RFC 7617 §2)', basic('a:b:c'), '', 'client_secret_basic', 'a', 'b:c'],
    ['an empty secret (RFC 6749 Appendix A.2)', basic('a:'), '', 'client_secret_basic', 'a', ''],
    [
      'the scheme in any case (RFC 9110 §11.1)',
      BASIC.replace('Basic', 'bASIC '),
      '',
      'client_secret_basic',
      's6BhdRkqt3',
      'gX1fBat3bV',
    ],
  ])('reads %s', (_, authorization, body, method, clientId, secret) => {
    expect(read(authorization, body)).toEqual({ method, clientId, secret })
  })

  test.each([
    ['Basic and a secret in the body', BASIC, 'client_secret=x'],
    ['Basic and the same secret in the body', BASIC, 'client_id=s6BhdRkqt3&client_secret=gX1fBat3bV'],
    ['Basic and an assertion', BASIC, 'client_assertion=x'],
    ['a secret and an assertion', undefined, 'client_id=a&client_secret=x&client_assertion=y'],
  ])('refuses %s: one method only (RFC 6749 §2.3)', (_, authorization, body) => {
    expect(() => read(authorization, body)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        description: 'The request uses more than one client authentication method.',
      }),
    )
  })

  test.each([
    ['a client_id that differs from Basic (RFC 6749 §2.3.1)', BASIC, 'client_id=other', /differs/],
    ['a secret without client_id (RFC 6749 §2.3.1)', undefined, 'client_secret=x', /'client_id' is missing/],
  ])('refuses %s', (_, authorization, body, description) => {
    expect(() => read(authorization, body)).toThrow(
      expect.objectContaining({ code: 'invalid_request', description: expect.stringMatching(description) }),
    )
  })

  test.each([
    ['no client (RFC 6749 §5.2)', ''],
    ['an assertion of another type (RFC 7523 §2.2)', 'client_assertion=x&client_assertion_type=saml2'],
    [
      'an assertion that is no JWT (RFC 7523 §3)',
      `client_assertion=x&client_assertion_type=${JWT_BEARER_ASSERTION}`,
    ],
  ])('refuses %s', (_, body) => {
    expect(() => read(undefined, body)).toThrow(
      expect.objectContaining({ code: 'invalid_client', status: 401 }),
    )
  })

  test.each([
    ['another scheme', 'Bearer abc'],
    ['no credentials', 'Basic'],
    ['an empty header', ''],
    ['base64url', 'Basic YT86Pj8-'],
    ['missing padding', 'Basic YTpiYw'],
    ['base64 that is not canonical', 'Basic YTpiYx=='],
    ['two credentials', `${BASIC} ${BASIC}`],
    ['no colon', basic('abc')],
    ['an empty client id', basic(':secret')],
    ['a malformed percent-encoding of the id', basic('%:secret')],
    ['a malformed percent-encoding of the secret', basic('a:%zz')],
    ['a client id outside VSCHAR', basic('%C3%A9:secret')],
    ['a secret outside VSCHAR', basic('a:%00')],
    ['bytes outside ASCII', basic('a:é')],
  ])('refuses %s with the challenge of RFC 6749 §5.2', (_, authorization) => {
    const attempt = () => read(authorization)
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'invalid_client',
        status: 401,
        headers: expect.objectContaining({ 'WWW-Authenticate': expect.stringMatching(/^Basic realm=/) }),
      }),
    )
  })

  test('reads back what a client encodes (RFC 6749 §2.3.1, Appendix B)', () => {
    const text = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map(c => String.fromCharCode(c)),
      minLength: 1,
    })
    const encode = (value: string) => String(new URLSearchParams({ '': value })).slice(1)
    fc.assert(
      fc.property(text, text, (clientId, secret) => {
        expect(read(basic(`${encode(clientId)}:${encode(secret)}`))).toEqual({
          method: 'client_secret_basic',
          clientId,
          secret,
        })
      }),
    )
  })

  test('throws nothing but OAuthError, and no error holds the secret', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), pair => {
        for (const authorization of [pair, basic(pair)]) {
          try {
            read(authorization)
          } catch (error) {
            if (!(error instanceof OAuthError)) throw error
            expect(error.code).toBe('invalid_client')
          }
        }
      }),
    )
    const attempt = () => read(basic('client:very%secret'))
    expect(attempt).not.toThrow(expect.objectContaining({ detail: expect.stringContaining('very') }))
    expect(attempt).not.toThrow(expect.objectContaining({ description: expect.stringContaining('very') }))
  })
})

describe('authenticateClient', () => {
  const issuer = 'https://as.example'
  const secretKeys = parseSecretKeys(Buffer.alloc(32, 1).toString('base64url'))
  const now = 1_800_000_000
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const certificate = (name: keyof typeof certificates) => new X509Certificate(certificates[name])
  const none: RegisteredClient = {
    client_id: 'client',
    auth_method: 'none',
    profile: null,
    verifiers: [],
    keys: [],
    certificates: [],
    suspended: false,
  }
  const clients: Record<string, RegisteredClient> = {
    basic: { ...none, auth_method: 'client_secret_basic', verifiers: [hashSecret('s3cret', secretKeys)] },
    post: { ...none, auth_method: 'client_secret_post', verifiers: [hashSecret('s3cret', secretKeys)] },
    jwt: { ...none, auth_method: 'private_key_jwt', keys: [publicKey.export({ format: 'jwk' }) as JWK] },
    fapi2: {
      ...none,
      auth_method: 'private_key_jwt',
      profile: 'fapi2',
      keys: [rsa.publicKey.export({ format: 'jwk' }) as JWK],
    },
    pki: {
      ...none,
      auth_method: 'tls_client_auth',
      certificates: [{ kind: 'san_dns', value: 'client.example' }],
    },
    self: {
      ...none,
      auth_method: 'self_signed_tls_client_auth',
      certificates: [{ kind: 'thumbprint', value: thumbprintOf(certificate('selfSigned')) }],
    },
    bare: { ...none, auth_method: 'tls_client_auth' },
    public: none,
    suspended: { ...none, suspended: true },
  }
  const used = new Set<string>()
  const authenticate = (request: {
    authorization?: string
    body?: string
    certificate?: keyof typeof certificates
  }) =>
    authenticateClient(
      {
        authorization: request.authorization,
        parameters: parseParameters(request.body ?? ''),
        certificate: request.certificate && certificate(request.certificate),
      },
      {
        find: async id => clients[id],
        once: async id => !used.has(id) && used.add(id) !== undefined,
        issuer,
        now,
        secretKeys,
        certificateAuthorities: [certificate('authority')],
      },
    )
  const sign = (claims: object = {}, key = privateKey, alg = 'ES256') =>
    new SignJWT({ iss: 'jwt', sub: 'jwt', aud: issuer, exp: now + 60, jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg })
      .sign(key)
  const asserting = (jwt: string, more = '') =>
    `client_assertion_type=${JWT_BEARER_ASSERTION}&client_assertion=${jwt}${more}`

  test.each<[ClientAuthenticationMethod, string, Parameters<typeof authenticate>[0]]>([
    ['client_secret_basic', 'basic', { authorization: basic('basic:s3cret') }],
    ['client_secret_post', 'post', { body: 'client_id=post&client_secret=s3cret' }],
    ['tls_client_auth', 'pki', { body: 'client_id=pki', certificate: 'client' }],
    ['self_signed_tls_client_auth', 'self', { body: 'client_id=self', certificate: 'selfSigned' }],
    ['none', 'public', { body: 'client_id=public' }],
    ['none', 'public', { body: 'client_id=public', certificate: 'client' }],
  ])('lets in by %s', async (_, name, request) => {
    expect(await authenticate(request)).toBe(clients[name])
  })

  test('lets in by private_key_jwt, each assertion once (RFC 7523 §3)', async () => {
    const body = asserting(await sign(), '&client_id=jwt')
    expect(await authenticate({ body })).toBe(clients.jwt)
    await expect(authenticate({ body })).rejects.toMatchObject({ detail: 'the assertion was used before' })
    expect(await authenticate({ body: asserting(await sign()) })).toBe(clients.jwt)
  })

  test.each<[string, Parameters<typeof authenticate>[0]]>([
    ['an unknown client', { authorization: basic('nobody:s3cret') }],
    ['a wrong secret', { authorization: basic('basic:wrong') }],
    ['an empty secret', { authorization: basic('basic:') }],
    ['another method than the registered one', { authorization: basic('post:s3cret') }],
    ['no proof where one is registered', { body: 'client_id=basic' }],
    ['no assertion where one is registered', { body: 'client_id=jwt' }],
    ['a certificate where a secret is registered', { body: 'client_id=basic', certificate: 'client' }],
    ['a secret of a client that has none', { authorization: basic('public:s3cret') }],
    ['a secret beside a registered certificate', { authorization: basic('pki:x'), certificate: 'client' }],
    ['no certificate', { body: 'client_id=pki' }],
    [
      'a certificate of another authority (RFC 8705 §2.1)',
      { body: 'client_id=pki', certificate: 'impostor' },
    ],
    ['a self-signed one where names are registered', { body: 'client_id=pki', certificate: 'selfSigned' }],
    ['another self-signed one (RFC 8705 §2.2)', { body: 'client_id=self', certificate: 'anotherSelfSigned' }],
    ['one that an authority issued, of another client', { body: 'client_id=self', certificate: 'client' }],
    ['any certificate where none is registered', { body: 'client_id=bare', certificate: 'client' }],
    ['a suspended client', { body: 'client_id=suspended' }],
  ])('refuses %s, and does not say why', async (_, request) => {
    await expect(authenticate(request)).rejects.toMatchObject({
      code: 'invalid_client',
      description: 'Client authentication failed.',
    })
  })

  test.each<[string, () => Promise<string>]>([
    [
      'signed by somebody else',
      () => sign({}, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    ],
    ['of a client that is unknown', () => sign({ iss: 'nobody', sub: 'nobody' })],
    ['of a client that has a secret', () => sign({ iss: 'basic', sub: 'basic' })],
  ])('refuses an assertion %s, and does not say why', async (_, make) => {
    await expect(authenticate({ body: asserting(await make()) })).rejects.toMatchObject({
      code: 'invalid_client',
      description: 'Client authentication failed.',
    })
  })

  test('refuses an assertion for another server by name, whether the client exists or not', async () => {
    for (const name of ['jwt', 'nobody']) {
      const body = asserting(await sign({ iss: name, sub: name, aud: 'https://other.example' }))
      await expect(authenticate({ body })).rejects.toThrow('must be the issuer identifier')
    }
  })

  test('refuses an assertion whose client is not the one named (RFC 7521 §4.2)', async () => {
    const body = asserting(await sign(), '&client_id=basic')
    await expect(authenticate({ body })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('FAPI 2.0 §5.4.1-1: lets in a client with the profile by PS256, not by RS256', async () => {
    const named = { iss: 'fapi2', sub: 'fapi2' }
    const by = async (alg: string) =>
      authenticate({ body: asserting(await sign(named, rsa.privateKey, alg)) })
    expect(await by('PS256')).toBe(clients.fapi2)
    await expect(by('RS256')).rejects.toMatchObject({
      code: 'invalid_client',
      detail: 'signed with RS256, which its profile does not allow',
    })
  })

  test('does not use up an assertion that nobody signed', async () => {
    const jti = crypto.randomUUID()
    const forged = await sign({ jti }, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    await expect(authenticate({ body: asserting(forged) })).rejects.toThrow()
    expect(await authenticate({ body: asserting(await sign({ jti })) })).toBe(clients.jwt)
  })
})
