import { assertFact } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  clockSkewSeconds,
  type KeyPlan,
  type KeySequence,
  lingerSeconds,
  mayStillSign,
  retiresAt,
  type SequenceKey,
  signingKeyAt,
  successorIsDue,
} from './key-schedule.js'
import { type NewKey, type SigningKeysEvent, type SigningKeysState, signingKeys } from './signing-keys.js'

const day = 86_400
const plan: KeyPlan = { announceSeconds: 14 * day, activeSeconds: 90 * day }
const start = 1_800_000_000
const hour = 3600

const newKey = (keyId: string): NewKey => ({
  keyId,
  algorithm: 'EdDSA',
  jwk: { kty: 'OKP', crv: 'Ed25519', x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4' },
})
const advance = (now: number, next: string | null = null): Command => ({
  type: 'advance',
  now,
  plan,
  next: next === null ? null : newKey(next),
})
const compromise = (now: number, keyId: string, replacement: string): Command => ({
  type: 'compromise',
  now,
  plan,
  keyId,
  reason: 'a backup was stolen',
  replacement: newKey(replacement),
  causeId: '0199aa00-0000-7000-8000-0000000000e1',
})
const rotate = (now: number, next: string): Command => ({ type: 'rotate', now, plan, next: newKey(next) })

type Command = Parameters<typeof signingKeys.decide>[0]
const fold = (state: SigningKeysState, events: readonly SigningKeysEvent[]) =>
  events.reduce((folded, event) => signingKeys.evolve(folded, event), state)
const after = (...commands: Command[]): SigningKeysState =>
  commands.reduce((state, command) => fold(state, signingKeys.decide(command, state)), signingKeys.initial)
const said = (events: readonly SigningKeysEvent[]) =>
  events.map(({ type, data }) => `${type} ${'keyId' in data ? data.keyId : data.target.id}`)
const decided = (command: Command, ...before: Command[]) => signingKeys.decide(command, after(...before))

describe('the keys of an algorithm', () => {
  const first = advance(start, 'a')
  const announcedAt = start + 76 * day
  const second = advance(announcedAt, 'b')

  it('begin with one that signs at once', () => {
    const events = decided(first)
    expect(said(events)).toEqual(['key.announced a', 'key.activated a'])
    expect(events[0]?.data).toEqual({ ...newKey('a'), activeFrom: start, activeUntil: start + 90 * day })
  })

  it.each<[string, Command, Command[], string[]]>([
    ['nothing between', advance(announcedAt - 1, 'b'), [first], []],
    ['the next one is announced', second, [first], ['key.announced b']],
    ['only once', advance(announcedAt + 1, 'c'), [first, second], []],
    ['it takes over', advance(start + 90 * day), [first, second], ['key.activated b']],
    [
      'the old one stays while a token of it may be good',
      advance(start + 90 * day + lingerSeconds - 1),
      [first, second, advance(start + 90 * day)],
      [],
    ],
    [
      'then it is retired',
      advance(start + 90 * day + lingerSeconds),
      [first, second, advance(start + 90 * day)],
      ['key.retired a'],
    ],
    [
      'all at once where nobody looked for a year',
      advance(start + 365 * day, 'c'),
      [first, second],
      ['key.announced c', 'key.activated b', 'key.retired a'],
    ],
    ['nothing for whom no key was made', advance(announcedAt), [first], []],
  ])('go on by time: %s', (_, command, before, events) => {
    expect(said(decided(command, ...before))).toEqual(events)
  })

  it('are announced in full, also when that is late: the running one signs for longer', () => {
    const late = start + 200 * day
    const [announcement] = decided(advance(late, 'b'), first)
    expect(announcement?.data).toMatchObject({ activeFrom: late + 14 * day, activeUntil: late + 104 * day })
    const { keys } = after(first, advance(late, 'b'))
    expect(signingKeyAt(keys, late + 14 * day - 1)?.keyId).toBe('a')
    expect(signingKeyAt(keys, late + 14 * day)?.keyId).toBe('b')
  })

  it('sign also on an instance whose clock is behind that of the one that made the first', () => {
    expect(signingKeyAt(after(first).keys, start - 5)?.keyId).toBe('a')
    expect(signingKeyAt([], start)).toBeUndefined()
  })

  it('keep private halves from the announcement until no instance can take them for the one that signs', () => {
    const { keys } = after(first, second)
    const needed = (now: number) => mayStillSign(keys, now).map(({ keyId }) => keyId)
    expect(needed(announcedAt)).toEqual(['a', 'b'])
    expect(needed(start + 90 * day + clockSkewSeconds - 1)).toEqual(['a', 'b'])
    expect(needed(start + 90 * day + clockSkewSeconds)).toEqual(['b'])
    expect(mayStillSign([], start)).toEqual([])
  })

  describe('rotated by the operator', () => {
    const early = start + 10 * day

    it('are announced before their time, and take over after the whole announcement', () => {
      expect(decided(rotate(early, 'b'), first)).toEqual([
        {
          type: 'key.announced',
          data: { ...newKey('b'), activeFrom: early + 14 * day, activeUntil: early + 104 * day },
        },
      ])
    })

    it('are not announced again while one waits, nor twice by time', () => {
      expect(decided(rotate(early + 1, 'c'), first, rotate(early, 'b'))).toEqual([])
      expect(decided(advance(announcedAt, 'c'), first, rotate(early, 'b'))).toEqual([
        { type: 'key.activated', data: { keyId: 'b', algorithm: 'EdDSA' } },
        { type: 'key.retired', data: { keyId: 'a', algorithm: 'EdDSA' } },
      ])
    })

    it('begin where there is none', () => {
      expect(said(decided(rotate(start, 'a')))).toEqual(['key.announced a', 'key.activated a'])
    })
  })

  describe('compromised', () => {
    it('the one that signs: everything that it signed is revoked, and another signs at once, in one append', () => {
      const events = decided(compromise(start + day, 'a', 'r'), first)
      expect(said(events)).toEqual([
        'key.compromised a',
        'token.revoked a',
        'key.announced r',
        'key.activated r',
      ])
      const [cause, revoked, announcement] = events
      expect(cause).toMatchObject({ id: expect.any(String), data: { reason: 'a backup was stolen' } })
      expect(revoked?.data).toEqual({
        target: { kind: 'key', id: 'a' },
        issuedBefore: null,
        reason: 'key-compromised',
        cause: cause && 'id' in cause ? cause.id : undefined,
      })
      expect(announcement?.data).toMatchObject({
        activeFrom: start + day - clockSkewSeconds,
        activeUntil: start + 91 * day,
      })
    })

    it.each<[string, Command, Command[], string[]]>([
      [
        'the one that is announced: the next look announces another',
        compromise(announcedAt + day, 'b', 'r'),
        [first, second],
        ['key.compromised b', 'token.revoked b'],
      ],
      [
        'one that was replaced: the one that signs goes on',
        compromise(start + 90 * day + clockSkewSeconds, 'a', 'r'),
        [first, second],
        ['key.compromised a', 'token.revoked a'],
      ],
      [
        'the one that is about to take over, on an instance’s clock perhaps already',
        compromise(start + 90 * day - 1, 'b', 'r'),
        [first, second],
        ['key.compromised b', 'token.revoked b', 'key.announced r', 'key.activated r'],
      ],
      [
        'one that was replaced just now, on an instance’s clock perhaps not yet',
        compromise(start + 90 * day + clockSkewSeconds - 1, 'a', 'r'),
        [first, second],
        ['key.compromised a', 'token.revoked a', 'key.announced r', 'key.activated r'],
      ],
      ['one that nobody knows: nothing', compromise(start, 'x', 'r'), [first], []],
      ['again: nothing', compromise(start + 2, 'a', 's'), [first, compromise(start + 1, 'a', 'r')], []],
    ])('%s', (_, command, before, events) => {
      expect(said(decided(command, ...before))).toEqual(events)
    })

    it('while another is announced: that one takes over as it was told', () => {
      const { keys } = after(first, second, compromise(announcedAt + day, 'a', 'r'))
      expect(keys.map(({ keyId, activeUntil }) => [keyId, activeUntil])).toEqual([
        ['r', start + 90 * day],
        ['b', start + 180 * day],
      ])
    })
  })
})

/** What happens to a sequence, one thing after another; times pass between. */
const happening = fc.record({
  pause: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 40 * day })),
  /** Rather until about the next moment at which a key begins, ends or is to be announced. */
  eventful: fc.option(fc.integer({ min: -100, max: 100 }), { freq: 3 }),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant('advance' as const) },
    { weight: 2, arbitrary: fc.constant('rotate' as const) },
    { weight: 1, arbitrary: fc.constant('compromise' as const) },
  ),
  /** Which of the keys. */
  which: fc.nat(),
  /** How far behind the clock of the instance is that does it. */
  skew: fc.integer({ min: 0, max: clockSkewSeconds - 1 }),
})

function later(
  time: number,
  keys: KeySequence,
  { pause, eventful }: { pause: number; eventful: number | null },
) {
  const moments = keys.flatMap(key => [
    key.activeFrom,
    key.activeUntil,
    key.activeUntil - plan.announceSeconds,
    retiresAt(keys, key) ?? 0,
  ])
  const next = moments.filter(moment => moment > time).toSorted((a, b) => a - b)[0]
  return eventful === null || next === undefined ? time + pause : Math.max(time, next + eventful)
}

describe('whatever happens to the keys of an algorithm, and however late anybody looks', () => {
  it('one key signs, known before, and every token that may be good can be verified', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), happenings => {
        let time = start
        let made = 0
        let state = after(advance(time, `k${made++}`))
        const announcedAt = new Map<string, number>()
        const atOnce = new Set(['k0'])
        const compromised = new Set<string>()
        const deleted = new Set<string>()
        const tokens: { keyId: string; expiresAt: number }[] = []

        for (const { what, which, skew, ...pause } of happenings) {
          time = later(time, state.keys, pause)
          const now = time - skew
          const chosen = state.keys[which % state.keys.length]?.keyId ?? ''
          const next = `k${made++}`
          const command =
            what === 'advance'
              ? advance(now, next)
              : what === 'rotate'
                ? rotate(now, next)
                : compromise(now, chosen, next)
          const events = signingKeys.decide(command, state)
          for (const event of events) {
            assertFact(event)
            if (event.type === 'key.announced') announcedAt.set(event.data.keyId, now)
            if (event.type === 'key.announced' && what === 'compromise') atOnce.add(event.data.keyId)
            if (event.type === 'key.compromised') compromised.add(event.data.keyId)
          }
          state = fold(state, events)

          // each instance signs by its own clock, and one whose clock is ahead deletes private halves
          const needed = mayStillSign(state.keys, time)
          for (const keyId of announcedAt.keys())
            if (!needed.some(key => key.keyId === keyId)) deleted.add(keyId)
          for (const clock of [time - clockSkewSeconds + 1, now, time]) {
            const signer = signingKeyAt(state.keys, clock)
            if (signer === undefined) throw new Error('no key signs')
            expect(compromised.has(signer.keyId)).toBe(false)
            expect(deleted.has(signer.keyId)).toBe(false)
            const known = clock - (announcedAt.get(signer.keyId) ?? clock)
            if (!atOnce.has(signer.keyId))
              expect(known).toBeGreaterThanOrEqual(plan.announceSeconds - clockSkewSeconds)
            tokens.push({ keyId: signer.keyId, expiresAt: clock + hour })
          }
          const published = new Set(state.keys.map(({ keyId }) => keyId))
          for (const { keyId, expiresAt } of tokens)
            if (expiresAt > time && !compromised.has(keyId)) expect(published).toContain(keyId)
          expect(inOrder(state.keys)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('nothing is left to do after it was done, and at most one key waits', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 30 }), happenings => {
        let now = start
        let state = after(advance(now, 'k'))
        for (const [made, { what, which, ...pause }] of happenings.entries()) {
          now = later(now, state.keys, pause)
          const next = `k${made}`
          const chosen = state.keys[which % state.keys.length]?.keyId ?? ''
          if (what === 'rotate') state = fold(state, signingKeys.decide(rotate(now, next), state))
          if (what === 'compromise')
            state = fold(state, signingKeys.decide(compromise(now, chosen, next), state))
          state = fold(state, signingKeys.decide(advance(now, `${next}'`), state))
          expect(successorIsDue(state.keys, now, plan)).toBe(false)
          expect(signingKeys.decide(advance(now, 'more'), state)).toEqual([])
          expect(state.keys.filter(({ activeFrom }) => activeFrom > now).length).toBeLessThanOrEqual(1)
          expect(state.keys.every(key => (retiresAt(state.keys, key) ?? now + 1) > now)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })
})

function inOrder(keys: KeySequence): boolean {
  return keys.every((key: SequenceKey, place) => key.activeFrom >= (keys[place - 1]?.activeFrom ?? 0))
}
