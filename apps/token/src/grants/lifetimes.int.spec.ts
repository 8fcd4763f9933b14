import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type CodeClaims, codeClaims } from '@grantlog/contracts'
import { Commands, Deadlines, EventStore } from '@grantlog/eventing'
import { HmacKey, OAuthError, Parameters, parseSealKeys, sealCode } from '@grantlog/oauth'
import { Clock, migrate, openDatabase, poolOf } from '@grantlog/platform'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import type { DataSource } from 'typeorm'
import { family } from '../domain/family.js'
import { KeyLife } from '../keys/key-life.js'
import { environmentWrapping } from '../keys/key-wrapping.js'
import { opaqueTokenKeys } from '../keys/opaque-keys.js'
import { PrivateHalves } from '../keys/private-halves.js'
import { SigningKeys } from '../keys/signing-keys.js'
import { Token1764000000000 } from '../migrations/1-token.js'
import type { ClientRow } from '../projections/clients.projection.js'
import { revocationBars } from '../projections/revocations.projection.js'
import type { TokenConfig } from '../token.config.js'
import type { TokenServices } from '../token-services.js'
import { authorizationCode } from './authorization-code.js'
import type { TokenRequest } from './grant.js'
import { refreshToken } from './refresh-token.js'

const day = 86_400
const codeKeys = `k:${Buffer.alloc(32, 7).toString('base64url')}`
const verifier = 'v'.repeat(43)

class TestClock extends Clock {
  time = 1_800_000_000
  override now(): Date {
    return new Date(this.time * 1000)
  }
}

const clock = new TestClock()
let database: TestDatabase
let db: DataSource
let store: EventStore
let commands: Commands
let keys: SigningKeys

beforeAll(async () => {
  database = await testDatabase('lifetimes')
  db = await openDatabase(database.url, 4, { migrations: [Token1764000000000] })
  await migrate(db)
  store = new EventStore(poolOf(db), { bars: revocationBars })
  commands = new Commands(store, () => clock.now())
  const halves = new PrivateHalves(db, environmentWrapping(Buffer.alloc(32, 1).toString('base64url')))
  const plan = { announceSeconds: day, activeSeconds: 100_000 * day }
  keys = await SigningKeys.open(new KeyLife(commands, halves, clock, plan), {
    algorithms: async () => [],
    report: error => {
      throw error
    },
  })
})
afterAll(async () => {
  await store?.close()
  await db?.destroy()
  await database.drop()
})

interface Limits {
  readonly idle: number
  readonly family: number
  /** Seconds after the authorization. */
  readonly grant: number | null
}

/** What the two grants need; they are not asked who the client is. */
const servicesWith = ({ idle, family: whole }: Limits): TokenServices =>
  ({
    config: {
      ISSUER: 'https://issuer.example',
      REFRESH_TOKEN_SECONDS: idle,
      REFRESH_FAMILY_SECONDS: whole,
      REFRESH_RETRY_SECONDS: 60,
    } as TokenConfig,
    db,
    commands,
    clock,
    keys,
    sealKeys: parseSealKeys(codeKeys),
    successorKey: new HmacKey(Buffer.alloc(32, 2)),
    dpopNonces: undefined,
    opaqueKeys: opaqueTokenKeys(Buffer.alloc(32, 3).toString('base64url')),
  }) as Partial<TokenServices> as TokenServices

const request = (parameters: Record<string, string>, clientId = 'ledgerly'): TokenRequest => ({
  client: {
    client_id: clientId,
    grant_types: ['authorization_code', 'refresh_token'],
    auth_method: 'client_secret_basic',
    profile: null,
  } as ClientRow,
  parameters: new Parameters(new Map(Object.entries(parameters).map(([name, value]) => [name, [value]]))),
  traceparent: undefined,
  boundTo: undefined,
  sender: clientId,
})

/** Redeems a code. @returns the tokens, and how to go on */
async function begin(limits: Limits, also: Partial<CodeClaims> = {}) {
  const services = servicesWith(limits)
  const person = randomUUID()
  const startedAt = clock.time
  const claims: CodeClaims = codeClaims.parse({
    codeId: randomUUID(),
    grantId: randomUUID(),
    clientId: 'ledgerly',
    redirectUri: 'https://app.example/cb',
    redirectUriGiven: false,
    owner: { kind: 'person', id: person },
    person,
    apiId: 'invoices',
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    accessTokenSeconds: 600,
    issuedAt: startedAt,
    authTime: startedAt,
    grantExpiresAt: limits.grant === null ? null : startedAt + limits.grant,
    ...also,
  })
  const code = await sealCode(claims, services.sealKeys, { expiresAt: startedAt + 60 })
  const first = await authorizationCode.handle(request({ code, code_verifier: verifier }), services)
  return {
    familyId: claims.codeId,
    grantId: claims.grantId,
    first,
    refresh: (token: string, clientId?: string) =>
      refreshToken.handle(request({ refresh_token: token }, clientId), services),
    /** By a process that remembers nothing of it. */
    refreshElsewhere: (token: string) =>
      refreshToken.handle(request({ refresh_token: token }), {
        ...services,
        commands: new Commands(store, () => clock.now()),
      }),
  }
}

const revoke = (grantId: string) =>
  db.query('insert into revocation_view (target, issued_before) values ($1, null)', [`grant:${grantId}`])

async function refusal(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return 'none'
  if (!(error instanceof OAuthError)) throw error
  const { error: code, error_description: description } = error.toJSON()
  return `${code}: ${description}`
}

const typesOf = async (familyId: string) =>
  (await store.read(`family-${familyId}`)).map(({ fact }) => fact.type)

describe('a family', () => {
  it.each<[string, Limits, number, string]>([
    ['was not used in time', { idle: 100, family: 1000, grant: null }, 100, 'it was not used in time.'],
    [
      'has reached its greatest age',
      { idle: 1000, family: 90, grant: null },
      90,
      'so long after its authorization, the resource owner is asked again.',
    ],
    ['has outlived its grant', { idle: 1000, family: 900, grant: 80 }, 80, 'so has its grant.'],
  ])(
    'that %s tells its own client, whoever was first to see it, and nobody else',
    async (_, limits, end, why) => {
      const { familyId, first, refresh } = await begin(limits)
      const token = first.refresh_token ?? ''
      const told = `invalid_grant: The refresh token has expired: ${why}`
      const vague = 'invalid_grant: The refresh token is invalid, expired or revoked.'
      clock.time += end
      expect(await refusal(refresh(token))).toBe(told)
      await new Deadlines([family], commands, {
        service: 'token',
        report: () => undefined,
        now: () => clock.now(),
      }).meet()
      expect(await refusal(refresh(token))).toBe(told)
      expect(await refusal(refresh(`${familyId}.${randomBytes(32).toString('base64url')}`))).toBe(vague)
      expect(await typesOf(familyId)).toEqual(['code.redeemed', 'token.issued', 'family.expired'])
      expect(await refusal(refresh(token, 'another'))).toBe(vague)
      expect(await typesOf(familyId)).toContain('refresh.replayed')
      expect(await refusal(refresh(token))).toBe(vague)
    },
  )

  it('whose successor is asked for again gets no token after its end', async () => {
    const { first, refresh } = await begin({ idle: 1000, family: 90, grant: null })
    clock.time += 60
    expect(await refresh(first.refresh_token ?? '')).toMatchObject({ expires_in: 30 })
    clock.time += 29
    expect(await refresh(first.refresh_token ?? '')).toMatchObject({ expires_in: 1 })
    clock.time += 1
    expect(await refusal(refresh(first.refresh_token ?? ''))).toMatch('so long after its authorization')
  })

  it('whose grant was revoked says so to whichever of its refresh tokens, and nothing more happens in it', async () => {
    const { familyId, grantId, first, refresh, refreshElsewhere } = await begin({
      idle: day,
      family: day,
      grant: null,
    })
    const tokens = [first.refresh_token ?? '']
    while (tokens.length < 8) {
      clock.time += 100 // each was replaced longer ago than it may be asked for again
      tokens.push((await refresh(tokens.at(-1) ?? '')).refresh_token ?? '')
    }
    const before = await typesOf(familyId)
    await revoke(grantId)

    for (const token of tokens.toReversed())
      for (const ask of [refresh, refreshElsewhere])
        expect(await refusal(ask(token))).toBe('invalid_grant: The grant has been revoked.')
    expect(await typesOf(familyId)).toEqual(before)
  })

  it('that does not begin, for its grant was revoked, leaves nothing of what it was for', async () => {
    const limits = { idle: day, family: day, grant: null }
    const details = { granted: [{ type: 'payment' }], digest: 'd'.repeat(43) }
    const revoked = { codeId: randomUUID(), grantId: randomUUID(), details }
    await revoke(revoked.grantId)

    expect(await refusal(begin(limits, revoked))).toMatch(/^invalid_grant: The grant has been revoked/)

    const { familyId } = await begin(limits, { details })
    const kept = await db.query('select family_id from family_details where family_id = any($1)', [
      [familyId, revoked.codeId],
    ])
    expect(kept).toEqual([{ family_id: familyId }])
  })

  it('is not read from the database again by the process that served it last', async () => {
    const { first, refresh } = await begin({ idle: 1000, family: 9000, grant: null })
    const read = jest.spyOn(store, 'head')
    const { refresh_token: next = '' } = await refresh(first.refresh_token ?? '')
    await refresh(next)
    expect(read).not.toHaveBeenCalled()
    read.mockRestore()
  })

  it('gives no token that outlives it or its grant, whatever the limits and the waiting', async () => {
    const limits = fc.record({
      idle: fc.constantFrom(60, 700, 5000),
      family: fc.constantFrom(60, 1000, 5000),
      grant: fc.constantFrom(null, 30, 900, 9000),
    })
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.array(fc.constantFrom(0, 20, 59, 60, 650), { maxLength: 12 }),
        async (limits, waits) => {
          const end = clock.time + Math.min(limits.family, limits.grant ?? Number.POSITIVE_INFINITY)
          const { first, refresh } = await begin(limits)
          let { access_token: access, refresh_token: token = '' } = first
          let usable = Math.min(clock.time + limits.idle, end)
          for (const wait of [...waits, 5000]) {
            const { exp = 0 } = decodeJwt(access)
            expect(exp).toBe(Math.min(clock.time + 600, end))
            clock.time += wait
            const outcome = await refusal(
              refresh(token).then(answer => {
                access = answer.access_token
                token = answer.refresh_token ?? ''
              }),
            )
            expect(outcome === 'none').toBe(clock.time < usable)
            if (outcome !== 'none') return
            usable = Math.min(clock.time + limits.idle, end)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
