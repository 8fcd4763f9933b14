import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { CompactEncrypt, type JWK, SignJWT, UnsecuredJWT } from 'jose'
import { readRequestObject, verifyRequestObject } from './request-object.js'

const issuer = 'https://as.example'
const now = 1_800_000_000
const client = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwkOf = (key: KeyObject, more: Partial<JWK> = {}): JWK => ({
  ...(key.export({ format: 'jwk' }) as JWK),
  ...more,
})
const parameters = { client_id: 'ledgerly', response_type: 'code', scope: 'invoices:read', state: 'a b&c' }
const sound = { ...parameters, iss: 'ledgerly', aud: issuer, exp: now + 60, iat: now, nbf: now, jti: 'one' }

const sign = (
  claims: object,
  header: Record<string, unknown> = { typ: 'oauth-authz-req+jwt' },
  key = client,
) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', ...header }).sign(key.privateKey)
const verify = (jwt: string, keys: JWK[] = [jwkOf(client.publicKey)]) =>
  verifyRequestObject(readRequestObject(jwt), { clientId: 'ledgerly', keys, issuer, now })
const refused = { code: 'invalid_request_object', status: 400 }

describe('a request object (RFC 9101)', () => {
  it('holds its parameters, and what is said of the object itself is none of them (§4)', async () => {
    const { query } = readRequestObject(await sign({ ...sound, sub: 'somebody' }))
    expect(Object.fromEntries(new URLSearchParams(query))).toEqual(parameters)
  })

  it('holds numbers, lists and objects as JSON has them; resources one by one (§4, RFC 8707 §2)', async () => {
    const resource = ['https://a.example/', 'https://b.example/']
    const claims = { max_age: 60, resource, authorization_details: [{ type: 'payment' }] }
    const { query } = readRequestObject(await sign(claims))
    expect([...new URLSearchParams(query)]).toEqual([
      ['max_age', '60'],
      ['resource', 'https://a.example/'],
      ['resource', 'https://b.example/'],
      ['authorization_details', '[{"type":"payment"}]'],
    ])
  })

  it('is verified, and known again by its jti', async () => {
    expect(await verify(await sign(sound))).toEqual({
      id: 'request object ledgerly one',
      expiresAt: now + 60,
    })
    expect(await verify(await sign({ ...sound, jti: undefined }))).toBeUndefined()
  })

  it('FAPI 2.0 §5.4.1-1: may be signed in fewer algorithms, where the client has agreed to that', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const context = { clientId: 'ledgerly', keys: [jwkOf(rsa.publicKey)], issuer, now }
    const signed = async (alg: string) =>
      verifyRequestObject(readRequestObject(await sign(sound, { alg }, rsa)), {
        ...context,
        algorithms: ['PS256'],
      })
    expect(await signed('PS256')).toMatchObject({ expiresAt: now + 60 })
    await expect(signed('RS256')).rejects.toMatchObject({
      ...refused,
      description: expect.stringMatching(/one of PS256\.$/),
    })
  })

  it.each<[string, object]>([
    ['of the type of RFC 9101 §10.8 in full', { typ: 'application/oauth-authz-req+jwt' }],
    ['of no type', {}],
    ['of the type JWT', { typ: 'JWT' }],
    ['with the id of its key', { kid: 'k' }],
  ])('may be %s', async (_, header) => {
    await verify(await sign(sound, { ...header }), [jwkOf(client.publicKey, { kid: 'k' })])
  })

  it('may be for several servers, when this one is among them (§4)', async () => {
    await verify(await sign({ ...sound, aud: ['https://other.example', issuer] }))
  })

  it.each<[string, object, RegExp]>([
    ['§6.3: client_id is missing', { client_id: undefined }, /client_id of the request object/],
    ['§6.3: client_id is another', { client_id: 'other' }, /client_id of the request object/],
    ['§4: iss is missing', { iss: undefined }, /iss of the request object/],
    ['§4: iss is another', { iss: 'other' }, /iss of the request object/],
    ['§4: aud is missing', { aud: undefined }, /aud .* must be the issuer identifier/],
    ['§4: aud is another server', { aud: 'https://other.example' }, /aud/],
    ['§4: it holds request', { request: 'x.y.z' }, /must not hold 'request'/],
    ['§4: it holds request_uri', { request_uri: 'https://client.example/r' }, /must not hold 'request_uri'/],
    ['§10.8: sub is the client', { sub: 'ledgerly' }, /sub/],
    ['exp is missing', { exp: undefined }, /when it expires/],
    ['exp is no number', { exp: 'tomorrow' }, /when it expires/],
    ['exp is past', { exp: now }, /has expired/],
    ['exp is far ahead', { exp: now + 601 }, /more than 600 seconds/],
    ['nbf is in the future', { nbf: now + 11 }, /nbf .* future/],
    ['iat is in the future', { iat: now + 11 }, /iat .* future/],
    ['jti is empty', { jti: '' }, /jti/],
    ['jti is no text', { jti: 1 }, /jti/],
    ['jti is too long', { jti: 'x'.repeat(257) }, /jti/],
  ])('is refused: %s', async (_, wrong, message) => {
    const verified = verify(await sign({ ...sound, ...wrong }))
    await expect(verified).rejects.toThrow(message)
    await expect(verified).rejects.toMatchObject(refused)
  })

  it('is refused without a signature (§10.2)', async () => {
    const unsigned = new UnsecuredJWT(sound).encode()
    await expect(verify(unsigned)).rejects.toMatchObject({
      ...refused,
      description: expect.stringContaining('must be signed'),
    })
  })

  it('is refused when it is signed with a secret', async () => {
    const jwt = await new SignJWT(sound).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1))
    await expect(verify(jwt)).rejects.toThrow(/must be signed with one of/)
  })

  it('is refused when another key signed it, or none is registered (§6.2)', async () => {
    await expect(verify(await sign(sound, {}, other))).rejects.toThrow(/no key of the client/)
    await expect(verify(await sign(sound), [])).rejects.toThrow(/has registered no key/)
    const named = verify(await sign(sound, { kid: 'old' }), [jwkOf(client.publicKey, { kid: 'new' })])
    await expect(named).rejects.toThrow(/no key of the client/)
  })

  it.each(['dpop+jwt', 'at+jwt', 'client-authentication+jwt'])('is refused as %s (§10.8)', async typ => {
    await expect(verify(await sign(sound, { typ }))).rejects.toThrow(/typ of the request object/)
  })

  it('is refused when it is encrypted, in words', async () => {
    const jwe = await new CompactEncrypt(Buffer.from(await sign(sound)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(Buffer.alloc(32, 1))
    expect(() => readRequestObject(jwe)).toThrow(/Encrypted request objects are not supported/)
  })

  it.each(['', 'x', 'x.y', 'x.y.z', '{}', `${Buffer.from('{}').toString('base64url')}.W10.x`])(
    'is refused: %p is no JWT',
    text => {
      expect(() => readRequestObject(text)).toThrow(expect.objectContaining(refused))
    },
  )
})
