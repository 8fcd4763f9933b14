import { beforeAll, describe, expect, it } from '@jest/globals'
import { type CryptoKey, generateKeyPair, SignJWT } from 'jose'
import { Freshness } from './freshness.js'
import { Guard, type Need, type WhenStale } from './guard.js'
import { GuardError } from './guard-error.js'
import { RevocationSet, type TargetKind } from './revocation-set.js'

const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com'
const start = 1_800_000_000

describe('the guard and what it heard of revocations', () => {
  let privateKey: CryptoKey
  let publicKey: CryptoKey
  let token: string
  let exchanged: string
  beforeAll(async () => {
    ;({ privateKey, publicKey } = await generateKeyPair('ES256'))
    exchanged = await new SignJWT({
      client_id: 'another-client',
      scope: 'read',
      lineage: [
        {
          jti: 'the-token',
          sub: 'the-owner',
          client_id: 'the-client',
          iat: start,
          kid: 'the-key',
          family: 'the-family',
          grant: 'the-grant',
          organization: 'the-organization',
        },
      ],
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'another-key' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject('another-owner')
      .setJti('another-token')
      .setIssuedAt(start + 2)
      .setExpirationTime(start + 3600)
      .sign(privateKey)
    token = await new SignJWT({
      client_id: 'the-client',
      scope: 'read',
      family: 'the-family',
      grant: 'the-grant',
      organization: 'the-organization',
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'the-key' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject('the-owner')
      .setJti('the-token')
      .setIssuedAt(start)
      .setExpirationTime(start + 3600)
      .sign(privateKey)
  })

  /** A guard whose clock and feed are in the test's hand. */
  function set(whenStale?: WhenStale) {
    const clock = { now: start }
    const revocations = new RevocationSet({ now: () => clock.now })
    const freshness = new Freshness(['clients', 'token'])
    const hear = () => {
      for (const source of ['clients', 'token']) freshness.alive(source, new Date(clock.now * 1000))
    }
    hear()
    const guard = new Guard({
      issuer,
      audience,
      revocations,
      freshness,
      keys: async () => publicKey,
      maxStalenessSeconds: 10,
      ...(whenStale !== undefined && { whenStale }),
      now: () => new Date(clock.now * 1000),
    })
    const ask = async (text = token, need: Need = {}): Promise<{ status: number; description?: string }> => {
      try {
        await guard.verify({ authorization: `Bearer ${text}` }, need)
        return { status: 200 }
      } catch (error) {
        if (!(error instanceof GuardError)) throw error
        return { status: error.status, description: error.toJSON().error_description }
      }
    }
    return { clock, revocations, freshness, hear, guard, ask }
  }

  const kinds: TargetKind[] = ['token', 'family', 'grant', 'client', 'owner', 'organization', 'key']

  it.each(kinds)('refuses a token whose %s was revoked', async kind => {
    const { revocations, ask } = set()
    expect(await ask()).toEqual({ status: 200 })
    revocations.apply({ target: { kind, id: `the-${kind}` }, issuedBefore: start - 1 })
    expect(await ask()).toEqual({ status: 200 })
    revocations.apply({ target: { kind, id: `the-${kind}` }, issuedBefore: start })
    expect(await ask()).toEqual({ status: 401, description: 'The access token has been revoked.' })
  })

  it.each(kinds)('refuses a token that was exchanged for one whose %s was revoked', async kind => {
    const { revocations, ask } = set()
    revocations.apply({ target: { kind, id: `the-${kind}` }, issuedBefore: start - 1 })
    expect(await ask(exchanged)).toEqual({ status: 200 })
    // the cutoff lies before the exchange, but reaches what was exchanged
    revocations.apply({ target: { kind, id: `the-${kind}` }, issuedBefore: start })
    expect(await ask(exchanged)).toEqual({ status: 401, description: 'The access token has been revoked.' })
  })

  it('refuses every token, for the moment, once it has heard nothing for too long', async () => {
    const { clock, hear, guard, ask } = set()
    clock.now = start + 10
    expect(await ask()).toEqual({ status: 200 })
    expect(guard.health()).toMatchObject({ ok: true, stalenessSeconds: 10 })
    clock.now = start + 11
    expect(await ask()).toMatchObject({ status: 503 })
    expect(guard.health()).toMatchObject({ ok: false, stalenessSeconds: 11 })
    hear()
    expect(await ask()).toEqual({ status: 200 })
  })

  it('refuses every token while one source has never been heard', async () => {
    const { ask, guard } = set()
    expect(await ask()).toEqual({ status: 200 })
    const deaf = new Guard({
      issuer,
      audience,
      revocations: new RevocationSet(),
      freshness: new Freshness(['clients']),
      keys: async () => publicKey,
      now: () => new Date(start * 1000),
    })
    await expect(deaf.verify({ authorization: `Bearer ${token}` })).rejects.toMatchObject({ status: 503 })
    expect(deaf.health()).toEqual({
      ok: false,
      stalenessSeconds: null,
      sources: { clients: null },
      remembered: 0,
      cached: 1,
    })
    expect(guard.health().ok).toBe(true)
  })

  it('is stale when one of two sources is', async () => {
    const { clock, freshness, ask } = set()
    clock.now = start + 11
    freshness.alive('token', new Date(clock.now * 1000))
    expect(await ask()).toMatchObject({ status: 503 })
  })

  it('refuses as revoked, not as stale, what it knows to be revoked', async () => {
    const { clock, revocations, ask } = set({ allowForSeconds: 1000 })
    revocations.apply({ target: { kind: 'token', id: 'the-token' }, issuedBefore: null })
    clock.now = start + 500
    expect(await ask()).toMatchObject({ status: 401 })
  })

  it('goes on for a while where it is told to, and no longer', async () => {
    const { clock, ask } = set({ allowForSeconds: 60 })
    clock.now = start + 70
    expect(await ask()).toEqual({ status: 200 })
    clock.now = start + 71
    expect(await ask()).toMatchObject({ status: 503 })
  })

  it('asks the issuer where it is told to, only while it is stale', async () => {
    const asked: string[] = []
    let answer: () => Promise<boolean> = async () => true
    const { clock, ask } = set({
      introspect: text => {
        asked.push(text)
        return answer()
      },
    })
    await ask()
    expect(asked).toEqual([])
    clock.now = start + 11
    expect(await ask()).toEqual({ status: 200 })
    expect(asked).toEqual([token])
    answer = async () => false
    expect(await ask()).toEqual({ status: 401, description: 'The access token has been revoked.' })
    answer = () => Promise.reject(new Error('the issuer does not answer'))
    expect(await ask()).toMatchObject({ status: 503 })
  })

  it.each<[string, WhenStale, Need, number[]]>([
    ['refuses though others go on', { allowForSeconds: 60 }, { whenStale: 'refuse' }, [200, 503, 503]],
    ['goes on though others refuse', 'refuse', { whenStale: { allowForSeconds: 60 } }, [200, 200, 503]],
    ['asks though others refuse', 'refuse', { whenStale: { introspect: async () => true } }, [200, 200, 200]],
    ['is satisfied with less', 'refuse', { maxStalenessSeconds: 20 }, [200, 200, 503]],
    ['asks for more', 'refuse', { maxStalenessSeconds: 5 }, [503, 503, 503]],
    [
      'asks for more, and goes on as others',
      { allowForSeconds: 5 },
      { maxStalenessSeconds: 6 },
      [200, 503, 503],
    ],
  ])('a route that %s', async (_, whenStale, need, expected) => {
    const { clock, ask } = set(whenStale)
    const statuses = []
    for (const seconds of [10, 20, 100]) {
      clock.now = start + seconds
      statuses.push((await ask(token, need)).status)
    }
    expect(statuses).toEqual(expected)
  })
})
