import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { type AccessTokenClaims, signAccessToken } from './access-token.js'
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
