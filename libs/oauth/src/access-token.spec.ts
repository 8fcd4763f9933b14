import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose'
import { type AccessTokenClaims, openAccessToken, signAccessToken } from './access-token.js'
import { publicJwk } from './jwk.js'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = publicJwk(privateKey)
const NOW = 1_800_000_000

// The claims of RFC 9068 §2.2's example, beside those that name what can revoke the token.
const claims: AccessTokenClaims = {
  iss: 'https://authorization-server.example.com/',
  sub: '5ba552d67',
  aud: 'https://rs.example.com/',
  client_id: 's6BhdRkqt3',
  iat: NOW,
  exp: NOW + 300,
  jti: 'dbe39bf3a3ba4238a513f51d6e1691c4',
  scope: 'openid profile reademail',
  family: 'f1',
  grant: 'g1',
  auth_time: NOW - 10,
  acr: undefined,
}

describe('signAccessToken', () => {
  test('jose verifies it, by the rules of a resource server (RFC 9068 §4)', async () => {
    const token = signAccessToken(claims, { kid: jwk.kid, privateKey })
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [jwk] }), {
      issuer: claims.iss,
      audience: 'https://rs.example.com/',
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(NOW * 1000),
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: jwk.kid }) // RFC 9068 §2.1
    const { acr: _, ...present } = claims
    expect(payload).toEqual(present)
  })

  // about one signature in 128 begins R or S with a zero, and half of them need one in DER
  test('signatures of every form are 64 octets that others verify, and we (RFC 7518 §3.4)', () => {
    const seen = new Set<string>()
    for (let n = 0; n < 3000; n++) {
      const token = signAccessToken({ ...claims, jti: `${n}` }, { kid: jwk.kid, privateKey })
      const [header, payload, signature = ''] = token.split('.')
      const bytes = Buffer.from(signature, 'base64url')
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
      expect(bytes).toHaveLength(64)
      expect(verify('sha256', Buffer.from(`${header}.${payload}`), key, bytes)).toBe(true)
      expect(openAccessToken(token, () => publicKey)).toBeDefined()
      for (const first of [bytes[0] ?? 0, bytes[32] ?? 0])
        seen.add(first === 0 ? 'short' : first >= 0x80 ? 'high' : 'low')
    }
    expect(seen.size).toBe(3)
  })

  test('every text of a claim survives (RFC 7519 §3)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.array(fc.string()), async (sub, aud) => {
        const token = signAccessToken({ ...claims, sub, aud }, { kid: 'k', privateKey })
        const { payload } = await jwtVerify(token, publicKey, { currentDate: new Date(NOW * 1000) })
        expect(payload).toMatchObject({ sub, aud })
      }),
      { numRuns: 50 },
    )
  })

  test('another key does not verify it (RFC 9068 §4)', async () => {
    const other = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const token = signAccessToken(claims, { kid: jwk.kid, privateKey })
    await expect(jwtVerify(token, other, { currentDate: new Date(NOW * 1000) })).rejects.toThrow('signature')
  })

  test.each([
    ['another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('refuses a key of %s (RFC 7518 §3.4)', (_, key) => {
    expect(() => signAccessToken(claims, { kid: 'k', privateKey: key })).toThrow('curve P-256')
  })
})

describe('openAccessToken', () => {
  const keyOf = (kid: string) => (kid === jwk.kid ? publicKey : undefined)
  const token = signAccessToken(claims, { kid: jwk.kid, privateKey })
  const [header = '', payload = '', signature = ''] = token.split('.')
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

  test('gives the claims of what was signed, and the key that signed it', () => {
    const { acr: _, ...present } = claims
    expect(openAccessToken(token, keyOf)).toEqual({ claims: present, kid: jwk.kid })
  })

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const signed = (protectedHeader: { alg: string; typ?: string; kid?: string; [more: string]: unknown }) =>
    new SignJWT({ ...claims, aud: `${claims.aud}` }).setProtectedHeader(protectedHeader).sign(privateKey)
  test.each<[string, string | Promise<string>]>([
    ['nothing', ''],
    ['no JWT', 'a.b.c'],
    ['a part more', `${token}.`],
    ['a part less', `${header}.${payload}`],
    ['other claims', `${header}.${encode({ ...claims, sub: 'another' })}.${signature}`],
    ['another key under the same name', signAccessToken(claims, { kid: jwk.kid, privateKey: other })],
    ['a key that is not ours', signAccessToken(claims, { kid: 'another', privateKey })],
    ['no signature (RFC 8725 §3.1)', `${encode({ alg: 'none', typ: 'at+jwt', kid: jwk.kid })}.${payload}.`],
    ['a signature of zeros', `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`],
    ['a signature cut short', `${header}.${payload}.${signature.slice(0, 40)}`],
    ['a signature written otherwise', `${token}=`],
    ['another type (RFC 8725 §3.11)', signed({ alg: 'ES256', typ: 'JWT', kid: jwk.kid })],
    ['no name of a key', signed({ alg: 'ES256', typ: 'at+jwt' })],
    ['more in its header', signed({ alg: 'ES256', typ: 'at+jwt', kid: jwk.kid, jku: 'https://a.example' })],
  ])('refuses %s', async (_, text) => {
    expect(openAccessToken(await text, keyOf)).toBeUndefined()
  })
})
