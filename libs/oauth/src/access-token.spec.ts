import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose'
import { type AccessTokenClaims, openAccessToken, signAccessToken } from './access-token.js'
import { publicJwk, type SigningAlgorithm } from './jwk.js'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keys: readonly [SigningAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }][] = [
  ['ES256', ec],
  ['EdDSA', generateKeyPairSync('ed25519')],
  ['PS256', rsa],
  ['RS256', rsa],
]
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
  test.each(keys)(
    '%s: jose verifies it, by the rules of a resource server (RFC 9068 §4)',
    async (algorithm, key) => {
      const jwk = publicJwk(key.privateKey, algorithm)
      const token = signAccessToken(claims, { kid: jwk.kid, algorithm, privateKey: key.privateKey })
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [jwk] }), {
        issuer: claims.iss,
        audience: 'https://rs.example.com/',
        typ: 'at+jwt',
        algorithms: [algorithm],
        currentDate: new Date(NOW * 1000),
      })
      expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: jwk.kid }) // RFC 9068 §2.1
      const { acr: _, ...present } = claims
      expect(payload).toEqual(present)
    },
  )

  // about one signature in 128 begins R or S with a zero, and half of them need one in DER
  test('ES256: signatures of every form are 64 octets that others verify, and we (RFC 7518 §3.4)', async () => {
    const seen = new Set<string>()
    for (let n = 0; n < 3000; n++) {
      const key = { kid: 'k', algorithm: 'ES256', ...ec } as const
      const token = signAccessToken({ ...claims, jti: `${n}` }, key)
      const [header, payload, signature = ''] = token.split('.')
      const bytes = Buffer.from(signature, 'base64url')
      const raw = { key: ec.publicKey, dsaEncoding: 'ieee-p1363' } as const
      expect(bytes).toHaveLength(64)
      expect(verify('sha256', Buffer.from(`${header}.${payload}`), raw, bytes)).toBe(true)
      expect(await openAccessToken(token, async () => key)).toBeDefined()
      for (const first of [bytes[0] ?? 0, bytes[32] ?? 0])
        seen.add(first === 0 ? 'short' : first >= 0x80 ? 'high' : 'low')
    }
    expect(seen.size).toBe(3)
  })

  test.each(keys)('%s: every text of a claim survives (RFC 7519 §3)', async (algorithm, key) => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.array(fc.string()), async (sub, aud) => {
        const token = signAccessToken({ ...claims, sub, aud }, { kid: 'k', algorithm, ...key })
        const { payload } = await jwtVerify(token, key.publicKey, { currentDate: new Date(NOW * 1000) })
        expect(payload).toMatchObject({ sub, aud })
      }),
      { numRuns: 30 },
    )
  })

  test('another key does not verify it (RFC 9068 §4)', async () => {
    const other = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const token = signAccessToken(claims, { kid: 'k', algorithm: 'ES256', ...ec })
    await expect(jwtVerify(token, other, { currentDate: new Date(NOW * 1000) })).rejects.toThrow('signature')
  })

  test.each(keys.filter(([algorithm]) => algorithm.endsWith('S256') && algorithm !== 'ES256'))(
    '%s: the same key under the other RSA algorithm does not verify it (RFC 8725 §3.1)',
    async (algorithm, key) => {
      const token = signAccessToken(claims, { kid: 'k', algorithm, ...key })
      const other = algorithm === 'PS256' ? 'RS256' : 'PS256'
      const jwks = createLocalJWKSet({ keys: [publicJwk(key.publicKey, other, 'k')] })
      await expect(jwtVerify(token, jwks, { currentDate: new Date(NOW * 1000) })).rejects.toThrow()
    },
  )

  test.each<[SigningAlgorithm, string, KeyObject, string]>([
    ['ES256', 'another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'curve P-256'],
    ['ES256', 'RSA', rsa.privateKey, 'curve P-256'],
    ['EdDSA', 'Ed448', generateKeyPairSync('ed448').privateKey, 'curve Ed25519'],
    ['EdDSA', 'P-256', ec.privateKey, 'curve Ed25519'],
    ['RS256', '1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, '2048 bits'],
    ['PS256', 'P-256', ec.privateKey, '2048 bits'],
  ])('%s refuses a key of %s (RFC 7518 §3, RFC 8037 §3.1)', (algorithm, _, privateKey, message) => {
    expect(() => signAccessToken(claims, { kid: 'k', algorithm, privateKey })).toThrow(message)
  })
})

describe('openAccessToken', () => {
  const { privateKey, publicKey } = ec
  const algorithm = 'ES256'
  const kid = 'k'
  const keyOf = async (named: string) => (named === kid ? ({ algorithm, publicKey } as const) : undefined)
  const token = signAccessToken(claims, { kid, algorithm, privateKey })
  const [header = '', payload = '', signature = ''] = token.split('.')
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

  test.each(keys)(
    '%s: gives the claims of what was signed, and the key that signed it',
    async (algorithm, key) => {
      const { acr: _, ...present } = claims
      const signed = signAccessToken(claims, { kid, algorithm, ...key })
      expect(await openAccessToken(signed, async () => ({ algorithm, ...key }))).toEqual({
        claims: present,
        kid,
      })
      const [others] = keys.filter(([other]) => other !== algorithm)
      const [other = algorithm, otherKey = key] = others ?? []
      expect(await openAccessToken(signed, async () => ({ algorithm: other, ...otherKey }))).toBeUndefined()
    },
  )

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const signed = (protectedHeader: { alg: string; typ?: string; kid?: string; [more: string]: unknown }) =>
    new SignJWT({ ...claims, aud: `${claims.aud}` }).setProtectedHeader(protectedHeader).sign(privateKey)
  test.each<[string, string | Promise<string>]>([
    ['nothing', ''],
    ['no JWT', 'a.b.c'],
    ['a part more', `${token}.`],
    ['a part less', `${header}.${payload}`],
    ['other claims', `${header}.${encode({ ...claims, sub: 'another' })}.${signature}`],
    ['another key under the same name', signAccessToken(claims, { kid, algorithm, privateKey: other })],
    ['a key that is not ours', signAccessToken(claims, { kid: 'another', algorithm, privateKey })],
    ['no signature (RFC 8725 §3.1)', `${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.`],
    ['a signature of zeros', `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`],
    ['a signature cut short', `${header}.${payload}.${signature.slice(0, 40)}`],
    ['a signature written otherwise', `${token}=`],
    ['another type (RFC 8725 §3.11)', signed({ alg: 'ES256', typ: 'JWT', kid })],
    ['no name of a key', signed({ alg: 'ES256', typ: 'at+jwt' })],
    ['more in its header', signed({ alg: 'ES256', typ: 'at+jwt', kid, jku: 'https://a.example' })],
  ])('refuses %s', async (_, text) => {
    expect(await openAccessToken(await text, keyOf)).toBeUndefined()
  })
})
