import { Commands, EventStore } from '@grantlog/eventing'
import { type AccessTokenClaims, type SigningAlgorithm, signAccessToken } from '@grantlog/oauth'
import { Clock, migrate, openDatabase, poolOf } from '@grantlog/platform'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { DataSource } from 'typeorm'
import { keysCommand } from '../keys.command.js'
import { Token1764000000000 } from '../migrations/1-token.js'
import { KeyLife } from './key-life.js'
import { environmentWrapping } from './key-wrapping.js'
import { PrivateHalves } from './private-halves.js'
import { SigningKeys } from './signing-keys.js'

const hour = 3600
const day = 24 * hour
const start = 1_800_000_000
const plan = { announceSeconds: 14 * day, activeSeconds: 90 * day }
const encryptionKey = (byte: number) => Buffer.alloc(32, byte).toString('base64url')

class TestClock extends Clock {
  time = start
  override now(): Date {
    return new Date(this.time * 1000)
  }
}

class CountingLife extends KeyLife {
  reads = 0
  override read(algorithm: SigningAlgorithm) {
    this.reads += 1
    return super.read(algorithm)
  }
}

describe('the signing keys of instances with one database', () => {
  let database: TestDatabase
  let clock: TestClock
  /** What the APIs are registered with. */
  let used: SigningAlgorithm[]
  const open: { db: DataSource; store: EventStore }[] = []
  beforeEach(async () => {
    database = await testDatabase('signing-keys')
    clock = new TestClock()
    used = ['ES256']
  })
  afterEach(async () => {
    for (const { db, store } of open.splice(0)) {
      await store.close()
      await db.destroy()
    }
    await database.drop()
  })

  async function parts(keyEncryptionKey = encryptionKey(1)) {
    const db = await openDatabase(database.url, 4, { migrations: [Token1764000000000] })
    const store = new EventStore(poolOf(db))
    open.push({ db, store })
    await migrate(db)
    const halves = new PrivateHalves(db, environmentWrapping(keyEncryptionKey))
    const life = new CountingLife(new Commands(store, () => clock.now()), halves, clock, plan)
    return { db, store, life }
  }
  async function instance(keyEncryptionKey?: string) {
    const made = await parts(keyEncryptionKey)
    const troubles: string[] = []
    const report = (error: Error) => void troubles.push(error.message)
    const keys = await SigningKeys.open(made.life, { algorithms: async () => used, report, readPause: 0 })
    return { ...made, keys, troubles }
  }
  type Instance = Awaited<ReturnType<typeof instance>>

  const storedKids = async ({ db }: Pick<Instance, 'db'>) => {
    const rows: { kid: string }[] = await db.query('select kid from signing_keys order by created_at')
    return rows.map(({ kid }) => kid)
  }
  const said = async ({ store }: Pick<Instance, 'store'>, algorithm: SigningAlgorithm) =>
    (await store.read(`key-${algorithm}`)).map(({ fact }) => fact.type)

  function claims(): AccessTokenClaims {
    const { time } = clock
    return { iss: 'i', sub: 's', aud: 'a', client_id: 'c', iat: time, exp: time + hour, jti: 'j', scope: '' }
  }
  const sign = async ({ keys }: Instance, algorithm: SigningAlgorithm = 'ES256') =>
    signAccessToken(claims(), await keys.current(algorithm))
  const verify = (token: string, jwks: Awaited<ReturnType<SigningKeys['jwks']>>) =>
    jwtVerify(token, createLocalJWKSet(jwks), { currentDate: clock.now(), typ: 'at+jwt' })

  it('that start at once have one key between them', async () => {
    const [a, b] = await Promise.all([instance(), instance()])
    expect((await a.keys.current('ES256')).kid).toBe((await b.keys.current('ES256')).kid)
    expect(await said(a, 'ES256')).toEqual(['key.announced', 'key.activated'])
    expect(await storedKids(a)).toEqual([(await a.keys.current('ES256')).kid])
    expect(await a.keys.jwks()).toEqual(await b.keys.jwks())
    await verify(await sign(a), await b.keys.jwks())
    expect([a.keys.health(), b.troubles]).toEqual([{ ok: true, detail: expect.any(String) }, []])
  })

  it('rotate for more than a year: they always agree, and no token fails anywhere', async () => {
    const [a, b] = await Promise.all([instance(), instance()])
    const signers = new Set<string>()
    const good: { token: string; until: number }[] = []
    /** What a verifier holds that reads the keys once a day. */
    let cached = await a.keys.jwks()
    let cachedAt = clock.time

    for (const end = start + 400 * day; clock.time < end; ) {
      // b looks after things now and then only: it knows what it must know long before
      const looks = [a.keys.keepUp(), ...(clock.time % (5 * day) < day / 2 ? [b.keys.keepUp()] : [])]
      await Promise.all(looks)
      if (clock.time - cachedAt >= day) {
        cached = await a.keys.jwks()
        cachedAt = clock.time
      }
      const kid = (await a.keys.current('ES256')).kid
      expect((await b.keys.current('ES256')).kid).toBe(kid)
      expect(a.keys.ages().get('ES256')).toBeLessThan(90 * day)
      signers.add(kid)
      for (const each of [a, b]) {
        const token = await sign(each)
        await verify(token, cached)
        good.push({ token, until: clock.time + hour })
      }
      const [ofA, ofB] = [await a.keys.jwks(), await b.keys.jwks()]
      expect(ofA).toEqual(ofB)
      for (const { token, until } of good.splice(0)) {
        if (until <= clock.time) continue
        await verify(token, ofA)
        good.push({ token, until })
      }
      const { keys } = await a.life.read('ES256')
      const eventful = keys.some(({ activeFrom }) => Math.abs(activeFrom - clock.time) < 12 * hour)
      clock.time += eventful ? 20 * 60 : 12 * hour
    }

    expect(signers.size).toBe(5)
    const events = await said(a, 'ES256')
    const count = (type: string) => events.filter(each => each === type).length
    expect([count('key.announced'), count('key.activated'), count('key.retired')]).toEqual([5, 5, 4])
    // the private halves of what signs no more are gone
    expect(await storedKids(a)).toEqual([[...signers].at(-1)])
    expect([a.troubles, b.troubles]).toEqual([[], []])
  })

  it('that find each other’s first key of an algorithm have one, and know it at once', async () => {
    const [a, b] = await Promise.all([instance(), instance()])
    for (const algorithm of ['EdDSA', 'PS256', 'RS256'] as const) {
      const made = await Promise.all([a, b, a, b].map(async each => (await each.keys.current(algorithm)).kid))
      expect(new Set(made).size).toBe(1)
      const token = await sign(a, algorithm)
      expect((await verify(token, await b.keys.jwks())).protectedHeader.alg).toBe(algorithm)
    }
    expect(await said(a, 'RS256')).toEqual(['key.announced', 'key.activated'])
    expect((await storedKids(a)).length).toBe(4)
  })

  it('have a key for each algorithm that an API is registered with, before its first token', async () => {
    const [a, b] = await Promise.all([instance(), instance()])
    used = ['ES256', 'EdDSA', 'RS256']
    await Promise.all([a.keys.keepUp(), b.keys.keepUp()])
    expect((await b.keys.jwks()).keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA', 'RS256'])
    expect(await said(a, 'EdDSA')).toEqual(['key.announced', 'key.activated'])
    used = ['ES256']
    clock.time += 76 * day
    await a.keys.keepUp()
    // once begun it goes on: tokens may be out there
    expect(await said(a, 'EdDSA')).toEqual(['key.announced', 'key.activated', 'key.announced'])
  })

  it('know a key that another one has just made, and read once for all that nobody has', async () => {
    const [a, b] = await Promise.all([instance(), instance()])
    const { kid } = await a.keys.current('EdDSA')
    expect(await b.keys.verificationKey(kid)).toMatchObject({ algorithm: 'EdDSA' })
    b.life.reads = 0
    const nonsense = Array.from({ length: 1000 }, (_, index) => b.keys.verificationKey(`made-up-${index}`))
    expect(new Set(await Promise.all(nonsense))).toEqual(new Set([undefined]))
    expect(b.life.reads).toBe(4) // each algorithm, once
  })

  it('go on where one dies between storing a private half and announcing its key', async () => {
    const dying = await parts()
    await dying.db.query(
      `insert into signing_keys (kid, private_key, created_at) values ('orphan', '', $1)`,
      [start],
    )
    const a = await instance()
    // it may be on its way to be announced
    expect(await storedKids(a)).toContain('orphan')
    clock.time += 91 * day
    await a.keys.keepUp()
    clock.time += 15 * day
    await a.keys.keepUp()
    expect(await storedKids(a)).toEqual([(await a.keys.current('ES256')).kid])
  })

  describe('one of which is compromised', () => {
    it('never signs again, everything that it signed is revoked, and another signs at once: one append', async () => {
      const [a, b] = await Promise.all([instance(), instance()])
      const { kid } = await a.keys.current('ES256')
      const replacement = await a.life.compromise(kid, 'a backup was stolen')
      const events = await a.store.read('key-ES256')
      expect(events.map(({ fact }) => fact.type)).toEqual([
        'key.announced',
        'key.activated',
        'key.compromised',
        'token.revoked',
        'key.announced',
        'key.activated',
      ])
      expect(events[3]?.fact.data).toEqual({
        target: { kind: 'key', id: kid },
        issuedBefore: null,
        reason: 'key-compromised',
        cause: events[2]?.id,
      })
      for (const each of [a, b]) {
        await each.keys.keepUp()
        expect((await each.keys.current('ES256')).kid).toBe(replacement?.keyId)
        expect(await each.keys.verificationKey(kid)).toBeUndefined()
        expect((await each.keys.jwks()).keys.map(jwk => jwk.kid)).toEqual([replacement?.keyId])
      }
      expect(await storedKids(a)).toEqual([replacement?.keyId])
      await verify(await sign(a), await b.keys.jwks())
    })

    it('is replaced once, whoever says it, and a second time there is nothing to say', async () => {
      const [a, b] = await Promise.all([instance(), instance()])
      const { kid } = await a.keys.current('ES256')
      const both = await Promise.all([a.life.compromise(kid, null), b.life.compromise(kid, null)])
      expect(both.filter(outcome => outcome !== undefined)).toHaveLength(1)
      expect(await a.life.compromise(kid, null)).toBeUndefined()
      expect(await a.life.compromise('nonsense', null)).toBeUndefined()
      expect((await storedKids(a)).length).toBe(1)
    })

    it('is followed by the next rotation as by any', async () => {
      const a = await instance()
      const first = (await a.keys.current('ES256')).kid
      const replacement = await a.life.compromise(first, null)
      clock.time += 76 * day
      await a.keys.keepUp()
      expect((await a.keys.current('ES256')).kid).toBe(replacement?.keyId)
      clock.time += 14 * day
      await a.keys.keepUp()
      expect((await a.keys.current('ES256')).kid).not.toBe(replacement?.keyId)
      await verify(await sign(a), await a.keys.jwks())
    })
  })

  describe('that the operator handles', () => {
    it('are listed, and one is announced before its time, once', async () => {
      const a = await instance()
      const { kid } = await a.keys.current('ES256')
      const announced = await keysCommand(a.life, ['rotate'])
      expect(announced).toMatch(/^\S{43} is announced: it signs from 2027-01-29T08:00:00Z on\.$/)
      const again = await keysCommand(a.life, ['rotate', '--alg', 'ES256'])
      expect(again).toBe(announced.replace('is announced', 'was announced already'))
      const [next = ''] = announced.split(' ')
      expect(JSON.parse(await keysCommand(a.life, ['list', '--json']))).toEqual([
        expect.objectContaining({ key_id: kid, state: 'active', active_until: '2027-01-29T08:00:00Z' }),
        expect.objectContaining({ key_id: next, state: 'announced', active_from: '2027-01-29T08:00:00Z' }),
      ])
      clock.time += 14 * day
      const lines = (await keysCommand(a.life, ['list'])).split('\n')
      expect(lines).toEqual([
        expect.stringMatching(new RegExp(`^${kid}  ES256  retained `)),
        expect.stringMatching(new RegExp(`^${next}  ES256  active `)),
      ])
      expect(await storedKids(a)).toHaveLength(2)
    })

    it('can be compromised where no private half opens any more', async () => {
      const { kid } = await (await instance()).keys.current('ES256')
      const { life } = await parts(encryptionKey(2))
      const said = await keysCommand(life, ['compromise', kid, '--reason', 'the key-encryption key is lost'])
      expect(said).toMatch(
        new RegExp(`^Everything that ${kid} signed is revoked. From now on \\S{43} signs.$`),
      )
      expect((await instance(encryptionKey(2))).keys.health().ok).toBe(true)
    })

    it.each([
      [['compromise', 'nonsense'], 'There is no signing key nonsense that still counts'],
      [['compromise', 'x', '--reason', 'two\nlines'], '--reason must be one line of 1 to 200 characters'],
      [['rotate', '--alg', 'HS256'], '--alg must be one of ES256, EdDSA, PS256, RS256, not “HS256”'],
      [['compromise'], 'keys list, keys compromise KID or keys rotate'],
      [['list', 'x', 'y'], '“y” is too much'],
      [['lost'], 'keys list, keys compromise KID or keys rotate'],
    ])('are not touched by %j', async (args, sentence) => {
      await expect(keysCommand((await parts()).life, args)).rejects.toThrow(sentence)
    })
  })

  describe('whose key-encryption key', () => {
    it('is another: do not start, and say so without showing it', async () => {
      const { kid } = await (await instance()).keys.current('ES256')
      await expect(instance(encryptionKey(2))).rejects.toThrow(
        `The signing key ${kid} does not open: KEY_ENCRYPTION_KEY is not the one that it was stored under`,
      )
    })

    it('is replaced: the new one encrypts, the old one opens what it encrypted', async () => {
      const old = await instance(encryptionKey(1))
      const both = await instance(`${encryptionKey(2)},${encryptionKey(1)}`)
      expect((await both.keys.current('ES256')).kid).toBe((await old.keys.current('ES256')).kid)
      clock.time += 76 * day
      await both.keys.keepUp()
      clock.time += 14 * day + hour / 2
      const young = await instance(encryptionKey(2))
      expect((await young.keys.current('ES256')).kid).toBe((await both.keys.current('ES256')).kid)
      // the one that was left behind says so, and does not sign with what others have left
      await old.keys.keepUp()
      await expect(old.keys.current('ES256')).rejects.toThrow('Tokens can not be signed at the moment.')
      expect(old.keys.health().ok).toBe(false)
      expect(old.troubles).toEqual([expect.stringContaining('KEY_ENCRYPTION_KEY is not the one')])
    })
  })

  it('refuse a private half that somebody put in the place of another', async () => {
    const a = await instance()
    const kid = (await a.keys.current('ES256')).kid
    const other = (await a.keys.current('EdDSA')).kid
    await a.db.query(
      'update signing_keys set private_key = (select private_key from signing_keys where kid = $2) where kid = $1',
      [kid, other],
    )
    await expect(instance()).rejects.toThrow(`The signing key ${kid} does not open`)
  })
})
