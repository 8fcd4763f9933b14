import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { calculateJwkThumbprint } from 'jose'
import { publicJwk, thumbprint } from './jwk.js'

describe('thumbprint', () => {
  test('RSA: the example of RFC 7638 §3.1, other members ignored', () => {
    const jwk = {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    }
    expect(thumbprint(jwk)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  test('OKP: the example of RFC 8037 Appendix A.3', () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    expect(thumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  test('EC: as jose computes it, the same for both halves (RFC 7638 §3.2.1)', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    expect(thumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk))
    expect(thumbprint(privateKey.export({ format: 'jwk' }))).toBe(thumbprint(jwk))
  })

  test.each([
    ['without a type', {}],
    ['of a secret', { kty: 'oct', k: 'AAAA' }],
    ['without a coordinate', { kty: 'EC', crv: 'P-256', x: 'AAAA' }],
  ])('refuses a key %s (RFC 7638 §3.2)', (_, jwk) => {
    expect(() => thumbprint(jwk)).toThrow('complete public JWK')
  })
})

describe('publicJwk', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const okp = generateKeyPairSync('ed25519')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

  test.each([
    ['ES256', ec, ['crv', 'kty', 'x', 'y']],
    ['EdDSA', okp, ['crv', 'kty', 'x']],
    ['PS256', rsa, ['e', 'kty', 'n']],
    ['RS256', rsa, ['e', 'kty', 'n']],
  ] as const)('%s: shows the public half alone, from either half (RFC 7517 §4)', (alg, key, members) => {
    const jwk = publicJwk(key.privateKey, alg, 'k1')
    expect(jwk).toEqual({ ...key.publicKey.export({ format: 'jwk' }), kid: 'k1', alg, use: 'sig' })
    expect(publicJwk(key.publicKey, alg, 'k1')).toEqual(jwk)
    expect(Object.keys(jwk).toSorted()).toEqual([...members, 'alg', 'kid', 'use'].toSorted())
  })

  test('is named by its thumbprint unless told otherwise (RFC 7638 §1)', () => {
    expect(publicJwk(ec.privateKey, 'ES256').kid).toBe(thumbprint(ec.publicKey.export({ format: 'jwk' })))
  })

  test.each([
    ['ES256', 'another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, 'curve P-256'],
    ['ES256', 'another type', okp.publicKey, 'curve P-256'],
    ['EdDSA', 'another curve', generateKeyPairSync('ed448').publicKey, 'curve Ed25519'],
    ['RS256', 'another type', ec.publicKey, '2048 bits'],
    ['PS256', '1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, '2048 bits'],
  ] as const)('%s refuses a key of %s (RFC 7518 §3, RFC 8037 §3.1)', (alg, _, key, message) => {
    expect(() => publicJwk(key, alg)).toThrow(message)
  })
})
