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
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  test('shows the public half alone, from either half (RFC 7518 §6.2.1)', () => {
    const { x, y } = publicKey.export({ format: 'jwk' })
    const expected = { kty: 'EC', crv: 'P-256', x, y, kid: 'k1', alg: 'ES256', use: 'sig' }
    expect(publicJwk(publicKey, 'k1')).toEqual(expected)
    expect(publicJwk(privateKey, 'k1')).toEqual(expected)
  })

  test('is named by its thumbprint unless told otherwise (RFC 7638 §1)', () => {
    expect(publicJwk(privateKey).kid).toBe(thumbprint(publicKey.export({ format: 'jwk' })))
  })

  test.each([
    ['of another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey],
    ['of another type', generateKeyPairSync('ed25519').publicKey],
  ])('refuses a key %s (RFC 7518 §3.4)', (_, key) => {
    expect(() => publicJwk(key)).toThrow('curve P-256')
  })
})
