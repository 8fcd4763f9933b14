import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { SignJWT } from 'jose'
import { DpopNonces, verifyDpopProof } from './dpop.js'
import { OAuthError } from './errors.js'
import { HmacKey } from './hmac-key.js'
import { thumbprint } from './jwk.js'

const now = 1_800_000_000
const url = 'https://as.example/token'
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicJwk = pair.publicKey.export({ format: 'jwk' })
const request = { method: 'POST', urls: [url, 'https://mtls.as.example/token'], now }
const sound = { jti: 'one', htm: 'POST', htu: url, iat: now }

const prove = (claims: object = {}, header: object = {}, key: KeyObject | Uint8Array = pair.privateKey) =>
  new SignJWT({ ...sound, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: publicJwk, ...header })
    .sign(key)

describe('a DPoP proof (RFC 9449 §4.3)', () => {
  it('is verified', async () => {
    expect(await verifyDpopProof(await prove(), request)).toEqual({
      thumbprint: thumbprint(publicJwk),
      algorithm: 'ES256',
      id: `dpop ${thumbprint(publicJwk)} one`,
      expiresAt: now + 70,
    })
  })

  it.each([
    ['a query', { htu: `${url}?a=b` }],
    ['a fragment', { htu: `${url}#a` }],
    ['the default port', { htu: 'https://as.example:443/token' }],
    ['capitals in the host', { htu: 'HTTPS://AS.example/token' }],
    ['another URL of the same resource', { htu: 'https://mtls.as.example/token' }],
    ['an age of a minute', { iat: now - 60 }],
    ['a clock that is ahead (FAPI 2.0 §5.3.2.1-13)', { iat: now + 10, nbf: now + 10 }],
  ])('may have %s', async (_, claims) => {
    await verifyDpopProof(await prove(claims), request)
  })

  it.each(['Ed25519', 'EdDSA', 'PS256', 'RS256'])('may be signed with %s', async alg => {
    const { publicKey, privateKey } = alg.startsWith('Ed')
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = publicKey.export({ format: 'jwk' })
    const proof = await verifyDpopProof(await prove({}, { alg, jwk }, privateKey), request)
    expect(proof).toMatchObject({ thumbprint: thumbprint(jwk), algorithm: alg })
  })

  it('FAPI 2.0 §5.4.1-1: may be signed in fewer algorithms, where the client has agreed to that', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const algorithms = ['PS256'] as const
    const signed = (alg: string) =>
      prove({}, { alg, jwk: publicKey.export({ format: 'jwk' }) }, privateKey).then(proof =>
        verifyDpopProof(proof, { ...request, algorithms }),
      )
    expect(await signed('PS256')).toMatchObject({ algorithm: 'PS256' })
    await expect(signed('RS256')).rejects.toMatchObject({ code: 'invalid_dpop_proof' })
  })

  it.each([
    ['iat', { iat: now + 61 }],
    ['nbf', { nbf: now + 61 }],
  ])('FAPI 2.0 §5.3.2.1-13: its %s is not a minute ahead', async (_, claims) => {
    await expect(verifyDpopProof(await prove(claims), request)).rejects.toMatchObject({
      code: 'invalid_dpop_proof',
    })
  })

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  it.each<[string, object, object, (KeyObject | Uint8Array)?]>([
    ['3. jti is missing', { jti: undefined }, {}],
    ['3. htm is missing', { htm: undefined }, {}],
    ['3. htu is missing', { htu: undefined }, {}],
    ['3. iat is missing', { iat: undefined }, {}],
    ['3. jti is endless', { jti: 'x'.repeat(257) }, {}],
    ['4. typ is another', {}, { typ: 'JWT' }],
    ['4. typ is missing', {}, { typ: undefined }],
    ['5. alg is symmetric', {}, { alg: 'HS256' }, Buffer.alloc(32)],
    ['6. another key signed it', {}, {}, other.privateKey],
    ['7. it holds a private key', {}, { jwk: pair.privateKey.export({ format: 'jwk' }) }],
    ['7. it holds no key', {}, { jwk: undefined }],
    ['8. htm is another', { htm: 'GET' }, {}],
    ['8. htm is in lower case', { htm: 'post' }, {}],
    ['9. htu is another', { htu: 'https://as.example/introspect' }, {}],
    ['9. htu is no URL', { htu: '/token' }, {}],
    ['11. iat is too long ago', { iat: now - 61 }, {}],
    ['11. iat is in the future', { iat: now + 11 }, {}],
    ['it has expired', { exp: now - 1 }, {}],
  ])('is refused when %s', async (_, claims, header, key = pair.privateKey) => {
    const proof = await prove(claims, header, key)
    await expect(verifyDpopProof(proof, request)).rejects.toMatchObject({ code: 'invalid_dpop_proof' })
  })

  it.each([
    ['1. two headers', async () => `${await prove()}, ${await prove()}`],
    ['2. no JWT', async () => 'nonsense'],
    ['5. no signature', async () => (await prove()).replace(/\.[^.]*$/, '.')],
  ])('is refused: %s', async (_, make) => {
    await expect(verifyDpopProof(await make(), request)).rejects.toMatchObject({ code: 'invalid_dpop_proof' })
  })

  it('12. names the access token that it comes with', async () => {
    const ath = createHash('sha256').update('a.b.c').digest('base64url')
    const atResource = { ...request, accessToken: 'a.b.c' }
    await verifyDpopProof(await prove({ ath }), atResource)
    for (const wrong of [{}, { ath: 'a.b.c' }, { ath: createHash('sha256').update('d').digest('base64url') }])
      await expect(verifyDpopProof(await prove(wrong), atResource)).rejects.toThrow(/ath/)
  })

  it('10. has the nonce that the server gave, or the one before it (§8)', async () => {
    const nonces = new DpopNonces(new HmacKey(Buffer.alloc(32, 1)), 300)
    const elsewhere = new DpopNonces(new HmacKey(Buffer.alloc(32, 2)), 300)
    const asking = { ...request, nonces }
    await verifyDpopProof(await prove({ nonce: nonces.current(now) }), asking)
    await verifyDpopProof(await prove({ nonce: nonces.current(now - 300) }), asking)
    for (const nonce of [
      undefined,
      '',
      nonces.current(now - 600),
      elsewhere.current(now),
      nonces.current(now + 300),
    ]) {
      const error: unknown = await verifyDpopProof(await prove({ nonce }), asking).catch(thrown => thrown)
      expect(error).toBeInstanceOf(OAuthError)
      expect(error).toMatchObject({ code: 'use_dpop_nonce', headers: { 'DPoP-Nonce': nonces.current(now) } })
    }
  })
})
