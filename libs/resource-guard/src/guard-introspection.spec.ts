import { describe, expect, it } from '@jest/globals'
import type { JWTPayload } from 'jose'
import { Freshness } from './freshness.js'
import { Guard } from './guard.js'
import { GuardError } from './guard-error.js'
import type { Introspect } from './introspection.js'
import { RevocationSet, type TargetKind } from './revocation-set.js'

const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com/notes'
const start = 1_800_000_000
const token = 'gla_opaque'
const claims: JWTPayload = {
  iss: issuer,
  aud: audience,
  sub: 'ada',
  client_id: 'ledgerly',
  jti: 'token-1',
  scope: 'notes:read',
  iat: start,
  exp: start + 600,
  family: 'family-1',
  grant: 'grant-1',
  organization: 'engines',
  lineage: [{ jti: 'token-0', sub: 'ada', client_id: 'web', iat: start - 60, kid: 'key-0' }],
}

/** A guard whose clock and feed are in the test's hand; it remembers what was asked. */
class World {
  now = start
  asked: string[] = []
  readonly revocations = new RevocationSet({ now: () => this.now })
  readonly #freshness = new Freshness(['token'])
  readonly #guard: Guard

  constructor(answer: Introspect | 'nobody' = async () => claims) {
    this.#freshness.alive('token', new Date((start + 3600) * 1000))
    this.#guard = new Guard({
      issuer,
      audience,
      keys: async () => undefined,
      ...(answer !== 'nobody' && {
        introspect: text => {
          this.asked.push(text)
          return answer(text)
        },
      }),
      revocations: this.revocations,
      freshness: this.#freshness,
      now: () => new Date(this.now * 1000),
    })
  }

  verify(text = token, scope = 'notes:read') {
    return this.#guard.verify({ authorization: `Bearer ${text}` }, { scope: [scope] })
  }

  /** How the request is refused. @throws when it is not */
  async refusal(text = token, scope?: string) {
    const error = await this.verify(text, scope).then(
      () => new Error('it was let through'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof GuardError)) throw error
    return { status: error.status, ...error.toJSON() }
  }
}

const invalid = expect.objectContaining({ status: 401, error: 'invalid_token' })

describe('the guard and opaque tokens', () => {
  it('asks about one, and says of it what a JWT would have said', async () => {
    const world = new World()
    expect(await world.verify()).toMatchObject({
      tokenId: 'token-1',
      subject: 'ada',
      scopes: ['notes:read'],
      owner: { kind: 'organization', id: 'engines' },
      expiresAt: start + 600,
    })
    expect(world.asked).toEqual([token])
  })

  it('asks once a minute at most, about each', async () => {
    const world = new World()
    for (const seconds of [0, 30, 59]) {
      world.now = start + seconds
      await world.verify()
    }
    expect(world.asked).toEqual([token])
    await world.verify('gla_another')
    world.now = start + 60
    await world.verify()
    expect(world.asked).toEqual([token, 'gla_another', token])
  })

  it.each<[TargetKind, string]>([
    ['token', 'token-1'],
    ['family', 'family-1'],
    ['grant', 'grant-1'],
    ['client', 'ledgerly'],
    ['owner', 'ada'],
    ['organization', 'engines'],
    ['token', 'token-0'],
    ['client', 'web'],
    ['key', 'key-0'],
  ])('refuses it once its %s %s is revoked, without asking again', async (kind, id) => {
    const world = new World()
    await world.verify()
    world.revocations.apply({ target: { kind, id }, issuedBefore: null })
    expect(await world.refusal()).toEqual(invalid)
    expect(world.asked).toEqual([token])
  })

  it('refuses it when it expires, whatever was kept', async () => {
    const world = new World(async () => ({ ...claims, exp: start + 10 }))
    await world.verify()
    world.now = start + 15 // clocks may differ by 5 s
    expect(await world.refusal()).toEqual(invalid)
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['is for another API', { aud: 'https://api.example.com/other' }],
    ['is for no API', { aud: undefined }],
    ['is of another issuer', { iss: 'https://other.example' }],
    ['does not say when it ends', { exp: undefined }],
    ['does not say since when it is', { iat: undefined }],
    ['is of the future', { iat: start + 60 }],
    ['says of whom it is in no text', { sub: 7 }],
    ['was made of what can not be read', { lineage: [{ jti: 'token-0' }] }],
  ])('refuses one that %s', async (_, change) => {
    expect(await new World(async () => ({ ...claims, ...change }) as JWTPayload).refusal()).toEqual(invalid)
  })

  it('refuses one that is not active, and asks again about it', async () => {
    const answers = [undefined, claims]
    const world = new World(async () => answers.shift())
    expect(await world.refusal()).toEqual(invalid)
    await world.verify()
  })

  it('refuses one that lacks the scope', async () => {
    expect(await new World().refusal(token, 'notes:write')).toMatchObject({ error: 'insufficient_scope' })
  })

  it('answers 503 while nobody can be asked, and asks again', async () => {
    let down = true
    const world = new World(async () => {
      if (down) throw new Error('connection refused')
      return claims
    })
    expect(await world.refusal()).toMatchObject({ status: 503, error: 'temporarily_unavailable' })
    down = false
    await world.verify()
  })

  it('asks about no JWT, and nobody where it was not told whom', async () => {
    const world = new World()
    expect(await world.refusal('e30.e30.AA')).toEqual(invalid)
    expect(world.asked).toEqual([])
    expect(await new World('nobody').refusal()).toEqual(invalid)
  })
})
