import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { type AccessTokenClaims, signAccessToken } from './access-token.js'
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
