import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { thumbprint, thumbprintOf } from '@grantlog/oauth'
import { certificates } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { SignJWT } from 'jose'
import { Freshness } from './freshness.js'
import { Guard, type GuardOptions } from './guard.js'
import { GuardError } from './guard-error.js'
import { RevocationSet } from './revocation-set.js'

const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com/invoices'
let now = 1_800_000_000
const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const client = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = client.publicKey.export({ format: 'jwk' })
const certificate = (name: keyof typeof certificates) => new X509Certificate(certificates[name])

function guard(options: Partial<GuardOptions> = {}) {
  const freshness = new Freshness(['token'])
  freshness.alive('token', new Date((now + 1000) * 1000))
  return new Guard({
    issuer,
    audience,
    revocations: new RevocationSet({ now: () => now }),
    freshness,
    keys: async () => server.publicKey,
    now: () => new Date(now * 1000),
    ...options,
  })
}

const sign = (cnf?: unknown) =>
  new SignJWT({
    iss: issuer,
    aud: audience,
    sub: 'ada',
    client_id: 'ledgerly',
    jti: 'token-1',
    scope: 'invoices:read',
    iat: now,
    exp: now + 600,
    ...(cnf !== undefined && { cnf }),
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1' })
    .sign(server.privateKey)

const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
const prove = (token: string, change: object = {}, pair = client, alg = 'ES256') =>
  new SignJWT({
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: `${audience}/7`,
    iat: now,
    ath: hash(token),
    ...change,
  })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: pair.publicKey.export({ format: 'jwk' }) })
    .sign(pair.privateKey)

async function refusal(outcome: Promise<unknown>): Promise<GuardError> {
  const error: unknown = await outcome.then(
    () => new Error('it was let through'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof GuardError) return error
  throw error
}

const bound = { jkt: thumbprint(jwk) }
const get = { method: 'GET', path: '/invoices/7?view=full' }

describe('a token that is bound to a key (RFC 9449 §7)', () => {
  it('is accepted with a proof of that key', async () => {
    const token = await sign(bound)
    const dpop = await prove(token)
    expect(await guard().verify({ authorization: `DPoP ${token}`, dpop, ...get })).toMatchObject({
      boundTo: { kind: 'dpop', thumbprint: thumbprint(jwk) },
    })
  })

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  it.each<[string, (token: string) => Promise<object>, string]>([
    ['without a proof', async () => ({}), 'invalid_dpop_proof'],
    [
      'as Bearer',
      async token => ({ authorization: `Bearer ${token}`, dpop: await prove(token) }),
      'invalid_token',
    ],
    ['as Bearer without a proof', async token => ({ authorization: `Bearer ${token}` }), 'invalid_token'],
    [
      'with a proof of another key',
      async token => ({ dpop: await prove(token, {}, other) }),
      'invalid_token',
    ],
    ['with a proof of another token', async () => ({ dpop: await prove('another') }), 'invalid_dpop_proof'],
    [
      'with a proof of no token',
      async token => ({ dpop: await prove(token, { ath: undefined }) }),
      'invalid_dpop_proof',
    ],
    [
      'with a proof of another method',
      async token => ({ dpop: await prove(token, { htm: 'POST' }) }),
      'invalid_dpop_proof',
    ],
    [
      'with a proof of another URL',
      async token => ({ dpop: await prove(token, { htu: `${audience}/8` }) }),
      'invalid_dpop_proof',
    ],
    [
      'with an old proof',
      async token => ({ dpop: await prove(token, { iat: now - 61 }) }),
      'invalid_dpop_proof',
    ],
    [
      'with two proofs',
      async token => ({ dpop: `${await prove(token)}, ${await prove(token)}` }),
      'invalid_dpop_proof',
    ],
    ['with a certificate', async () => ({ certificate: certificate('client') }), 'invalid_dpop_proof'],
  ])('is refused %s', async (_, change, code) => {
    const token = await sign(bound)
    const request = { authorization: `DPoP ${token}`, ...get, ...(await change(token)) }
    const refused = await refusal(guard().verify(request))
    expect(refused).toMatchObject({ status: 401 })
    expect(JSON.stringify(refused)).toContain(`"error":"${code}"`)
    const [scheme = ''] = request.authorization.split(' ')
    expect(refused.headers['www-authenticate']).toMatch(new RegExp(`^${scheme} error="${code}"`))
  })

  it('is accepted once with each proof, for as long as the proof is good', async () => {
    const one = guard()
    const token = await sign(bound)
    const dpop = await prove(token, { iat: now + 10 })
    const request = { authorization: `DPoP ${token}`, dpop, ...get }
    await one.verify(request)
    for (let second = 0; second < 75; second += 5) {
      now += 5
      expect(await refusal(one.verify(request))).toMatchObject({ status: 401 })
    }
    await one.verify({ ...request, dpop: await prove(token) })
  })

  it('is refused by an API that has no URL, unless it is told one', async () => {
    const token = await sign(bound)
    const request = { authorization: `DPoP ${token}`, dpop: await prove(token), ...get }
    const keys = async () => server.publicKey
    expect((await refusal(guard({ audience: 'urn:x', keys }).verify(request))).status).toBe(401)
    await guard({ baseUrl: 'https://api.example.com' }).verify(request)
    expect((await refusal(guard({ baseUrl: 'https://other.example.com' }).verify(request))).status).toBe(401)
  })
})

describe('a token that is bound to a certificate (RFC 8705 §3)', () => {
  const cnf = { 'x5t#S256': thumbprintOf(certificate('client')) }

  it('is accepted from whoever proved to hold that certificate', async () => {
    const authorization = `Bearer ${await sign(cnf)}`
    expect(await guard().verify({ authorization, certificate: certificate('client') })).toMatchObject({
      boundTo: { kind: 'certificate', thumbprint: cnf['x5t#S256'] },
    })
  })

  it.each([undefined, certificate('impostor')])('is refused from anybody else, %#', async other => {
    const authorization = `Bearer ${await sign(cnf)}`
    const refused = await refusal(guard().verify({ authorization, certificate: other }))
    expect(refused).toMatchObject({ status: 401 })
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
  })
})

describe('a token that is bound to nothing', () => {
  it('is not sent as DPoP', async () => {
    const token = await sign()
    const request = { authorization: `DPoP ${token}`, dpop: await prove(token), ...get }
    expect((await refusal(guard().verify(request))).message).toContain('send it as Bearer')
  })

  it('is refused where only bound ones are taken', async () => {
    const authorization = `Bearer ${await sign()}`
    await guard().verify({ authorization })
    expect((await refusal(guard({ boundTokensOnly: true }).verify({ authorization }))).status).toBe(401)
  })

  it.each([{}, 'jkt', { jkt: 1 }, { kid: 'x' }, { jkt: 'a', 'x5t#S256': 'b' }, null])(
    'is not what has a confirmation that can not be read: %j',
    async cnf => {
      const refused = await refusal(guard().verify({ authorization: `Bearer ${await sign(cnf)}` }))
      expect(refused).toMatchObject({ status: 401, message: 'The access token is not valid.' })
    },
  )
})

describe('an API with the profile fapi2', () => {
  const fapi2 = guard({ profile: 'fapi2' })

  it('FAPI 2.0 §5.3.4-5: takes only tokens that are bound', async () => {
    const authorization = `Bearer ${await sign()}`
    expect((await refusal(fapi2.verify({ authorization }))).status).toBe(401)
    const lax = guard({ profile: 'fapi2', boundTokensOnly: false })
    expect((await refusal(lax.verify({ authorization }))).status).toBe(401)
    const held = { authorization: `Bearer ${await sign(byCertificate)}`, certificate: certificate('client') }
    await fapi2.verify(held)
  })

  it('FAPI 2.0 §5.4.1-1: takes no tokens that are signed with RS256', () => {
    const algorithms = ['ES256', 'RS256'] as const
    expect(() => guard({ profile: 'fapi2', algorithms })).toThrow('ES256, EdDSA, PS256, not “RS256”')
  })

  it('FAPI 2.0 §5.4.1-1: takes no proofs that are signed with RS256', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const token = await sign({ jkt: thumbprint(rsa.publicKey.export({ format: 'jwk' })) })
    const by = async (alg: string) => ({
      authorization: `DPoP ${token}`,
      dpop: await prove(token, {}, rsa, alg),
      ...get,
    })
    await fapi2.verify(await by('PS256'))
    await guard().verify(await by('RS256'))
    expect((await refusal(fapi2.verify(await by('RS256')))).headers['www-authenticate']).toContain(
      'invalid_dpop_proof',
    )
  })

  const byCertificate = { 'x5t#S256': thumbprintOf(certificate('client')) }
})
