import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { type JWK, SignJWT } from 'jose'
import { isSignedByOneOf, readClientAssertion } from './client-assertion.js'

const issuer = 'https://as.example'
const now = 1_800_000_000
const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
  Ed25519: generateKeyPairSync('ed25519'),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}
const jwkOf = (key: KeyObject, more: Partial<JWK> = {}): JWK => ({
  ...(key.export({ format: 'jwk' }) as JWK),
  ...more,
})
const sound = { iss: 'ledgerly', sub: 'ledgerly', aud: issuer, exp: now + 60, iat: now, jti: 'one' }

const sign = (
  claims: object,
  header: Record<string, unknown> = {},
  alg: keyof typeof pairs = 'ES256',
  key: KeyObject = pairs[alg].privateKey,
) => new SignJWT({ ...claims }).setProtectedHeader({ alg, ...header }).sign(key)
const read = (jwt: string) => readClientAssertion(jwt, { issuer, now })

describe('a client assertion (RFC 7523 §3)', () => {
  it('is read', async () => {
    const jwt = await sign(sound, { kid: 'k', typ: 'client-authentication+jwt' })
    expect(read(jwt)).toEqual({
      jwt,
      clientId: 'ledgerly',
      algorithm: 'ES256',
      keyId: 'k',
      id: 'one',
      expiresAt: now + 60,
    })
  })

  it.each<[string, object, RegExp]>([
    ['1. iss is missing', { iss: undefined }, /iss and the sub/],
    ['1. iss is another', { iss: 'other' }, /iss and the sub/],
    ['2. sub is missing', { sub: undefined }, /name its client in sub/],
    ['3. aud is missing', { aud: undefined }, /aud .* must be the issuer identifier/],
    ['3. aud is another server', { aud: 'https://other.example' }, /aud/],
    ['3. aud is the token endpoint', { aud: `${issuer}/token` }, /aud/],
    ['3. aud names several', { aud: [issuer, 'https://other.example'] }, /aud/],
    ['4. exp is missing', { exp: undefined }, /when it expires/],
    ['4. exp is past', { exp: now }, /has expired/],
    ['4. exp is unreasonably far', { exp: now + 601 }, /more than 600 seconds/],
    ['5. nbf is in the future', { nbf: now + 11 }, /nbf .* future/],
    ['6. iat is in the future', { iat: now + 11 }, /iat .* future/],
    ['7. jti is missing', { jti: undefined }, /needs a jti/],
    ['7. jti is empty', { jti: '' }, /needs a jti/],
    ['7. jti is too long', { jti: 'x'.repeat(257) }, /needs a jti/],
  ])('is refused when %s', async (_, wrong, message) => {
    const jwt = await sign({ ...sound, ...wrong })
    expect(() => read(jwt)).toThrow(message)
  })

  it.each<[string, string, RegExp]>([
    ['no JWT', 'nonsense', /not a signed JWT/],
    [
      'unsigned',
      `${btoa('{"alg":"none"}')}.${Buffer.from(JSON.stringify(sound)).toString('base64url')}.`,
      /one of ES256/,
    ],
  ])('is refused when it is %s', (_, jwt, message) => {
    expect(() => read(jwt)).toThrow(message)
  })

  it('is refused when it is signed with a secret, or is of another type (RFC 8725 §3.12)', async () => {
    const shared = await new SignJWT(sound).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32))
    expect(() => read(shared)).toThrow(/must be signed with one of/)
    const proof = await sign(sound, { typ: 'dpop+jwt' })
    expect(() => read(proof)).toThrow(/another type/)
  })

  it.each(Object.keys(pairs) as (keyof typeof pairs)[])('is verified: %s', async alg => {
    const assertion = read(await sign(sound, {}, alg))
    expect(await isSignedByOneOf(assertion, [jwkOf(pairs[alg].publicKey)])).toBe(true)
    const others = Object.values(pairs).filter(pair => pair !== pairs[alg])
    expect(
      await isSignedByOneOf(
        assertion,
        others.map(({ publicKey }) => jwkOf(publicKey)),
      ),
    ).toBe(false)
    expect(await isSignedByOneOf(assertion, [])).toBe(false)
  })

  it('is verified with the key that it names, among several', async () => {
    const named = read(await sign(sound, { kid: 'second' }))
    const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const first = jwkOf(another, { kid: 'first' })
    const right = pairs.ES256.publicKey
    expect(await isSignedByOneOf(named, [first, jwkOf(right, { kid: 'second' })])).toBe(true)
    expect(await isSignedByOneOf(named, [first, jwkOf(right)])).toBe(true)
    expect(await isSignedByOneOf(named, [jwkOf(right, { kid: 'first' })])).toBe(false)
    expect(await isSignedByOneOf(read(await sign(sound)), [first, jwkOf(right)])).toBe(true)
  })
})
