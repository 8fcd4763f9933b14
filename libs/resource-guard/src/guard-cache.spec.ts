import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { publicJwk, signAccessToken } from '@grantlog/oauth'
import { describe, expect, it } from '@jest/globals'
import { SignJWT } from 'jose'
import { Freshness } from './freshness.js'
import { Guard, type Need, type TokenRequest } from './guard.js'
import { GuardError } from './guard-error.js'
import { RevocationSet } from './revocation-set.js'

const start = 1_800_000_000
const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const claims = {
  iss: 'https://auth.example.com',
  aud: 'https://api.example.com/notes',
  sub: 'ada',
  client_id: 'ledgerly',
  jti: 'token-1',
  scope: 'read',
  authorization_details: [{ type: 'payment', amount: { value: '1' } }],
  iat: start,
  exp: start + 600,
}

/** A guard that has verified a token, and everything that can change after that. */
async function verified({ cachedTokens = 10, cnf }: { cachedTokens?: number; cnf?: { jkt: string } } = {}) {
  const { privateKey, publicKey } = pair()
  const clock = { now: start }
  const keys = new Map<string, KeyObject>([['k', publicKey]])
  const revocations = new RevocationSet({ now: () => clock.now })
  const freshness = new Freshness(['token'])
  const hear = () => freshness.alive('token', new Date(clock.now * 1000))
  hear()
  const guard = new Guard({
    issuer: claims.iss,
    audience: claims.aud,
    revocations,
    freshness,
    cachedTokens,
    keys: async keyId => keys.get(keyId),
    now: () => new Date(clock.now * 1000),
  })
  const token = signAccessToken({ ...claims, cnf }, { kid: 'k', algorithm: 'ES256', privateKey })
  const ask = (need: Need = {}, request: Partial<TokenRequest> = {}) =>
    guard.verify({ authorization: `Bearer ${token}`, ...request }, need)
  const refusal = async (need?: Need, request?: Partial<TokenRequest>) => {
    const error = await ask(need, request).catch((reason: unknown) => reason)
    if (!(error instanceof GuardError)) throw new Error('it was let through', { cause: error })
    return [error.status, error.toJSON().error_description]
  }
  return { clock, keys, revocations, hear, guard, token, ask, refusal }
}

describe('a token that comes again', () => {
  it('is not verified again', async () => {
    const { guard, ask } = await verified()
    const first = await ask()
    expect(await ask()).toBe(first)
    expect(guard.health().cached).toBe(1)
  })

  it('is, where none is to be remembered', async () => {
    const { guard, ask } = await verified({ cachedTokens: 0 })
    const first = await ask()
    const second = await ask()
    expect(second).toEqual(first)
    expect(second).not.toBe(first)
    expect(guard.health().cached).toBe(0)
  })

  it('can not have been changed by who was shown it', async () => {
    const { ask } = await verified()
    const token = await ask()
    const [detail] = token.authorizationDetails
    expect(() => (token.scopes as string[]).push('admin')).toThrow(TypeError)
    expect(() => Object.assign(token.owner, { id: 'eve' })).toThrow(TypeError)
    expect(() => Object.assign(Object(detail?.amount), { value: '1000000' })).toThrow(TypeError)
  })

  it('is refused once it has expired, and while it is not good yet', async () => {
    const { clock, hear, ask, refusal } = await verified()
    await ask()
    clock.now = start + 605
    hear()
    expect(await refusal()).toEqual([401, 'The access token has expired.'])
    clock.now = start - 6
    expect(await refusal()).toEqual([401, 'The access token is not valid.'])
    clock.now = start - 5
    expect(await ask()).toMatchObject({ tokenId: 'token-1' })
  })

  it('is refused once it is revoked', async () => {
    const { revocations, ask, refusal } = await verified()
    await ask()
    revocations.apply({ target: { kind: 'key', id: 'k' }, issuedBefore: null })
    expect(await refusal()).toEqual([401, 'The access token has been revoked.'])
  })

  it('is refused while the revocations are not heard', async () => {
    const { clock, ask, refusal } = await verified()
    await ask()
    clock.now = start + 11
    expect((await refusal())[0]).toBe(503)
  })

  it('is refused for another scope', async () => {
    const { ask, refusal } = await verified()
    await ask({ scope: ['read'] })
    expect((await refusal({ scope: ['write'] }))[0]).toBe(403)
  })

  it('is refused when its key has left the key set, or is another one now', async () => {
    const { keys, ask, refusal } = await verified()
    await ask()
    keys.set('k', pair().publicKey)
    expect(await refusal()).toEqual([401, 'The access token is not valid.'])
    keys.clear()
    expect(await refusal()).toEqual([401, 'The access token is not valid.'])
  })

  it('is refused from a sender who does not prove anew to hold its key', async () => {
    const sender = pair()
    const { kid, alg, use: _, ...jwk } = publicJwk(sender.publicKey, 'ES256')
    const { token, ask, refusal } = await verified({ cnf: { jkt: kid } })
    const proof = async (jti: string) =>
      new SignJWT({
        jti,
        htm: 'GET',
        htu: claims.aud,
        iat: start,
        ath: Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url'),
      })
        .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk })
        .sign(sender.privateKey)
    const sent = { authorization: `DPoP ${token}`, method: 'GET', path: '/notes' }
    const dpop = await proof('1')
    const first = await ask({}, { ...sent, dpop })
    expect(await ask({}, { ...sent, dpop: await proof('2') })).toBe(first)
    expect(await refusal({}, { ...sent, dpop })).toEqual([401, 'The DPoP proof was used before.'])
    expect(await refusal({}, sent)).toEqual([401, 'The DPoP header is missing.'])
    expect((await refusal())[0]).toBe(401)
  })
})
