import { canonicalJson } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type FamilyCommand,
  type FamilyEvent,
  type FamilyFacts,
  type FamilyState,
  family,
  type Redeem,
  type Refresh,
  refreshEnd,
  successorOf,
} from './family.js'

const facts: FamilyFacts = {
  familyId: '0199aa00-0000-7000-8000-0000000000fa',
  grantId: '0199aa00-0000-7000-8000-0000000000f1',
  clientId: 'ledgerly',
  owner: { kind: 'person', id: '0199aa00-0000-7000-8000-0000000000ad' },
  audience: 'https://api.example/invoices',
  scopes: ['invoices:read'],
  grantExpiresAt: null,
  refreshExpiresAt: 5000,
  familyExpiresAt: 90_000,
  person: '0199aa00-0000-7000-8000-0000000000ad',
  authTime: 900,
  accessTokenSeconds: 600,
  startedAt: 1000,
  boundTo: null,
}
// in the order in which it is issued
const token: Redeem['token'] = {
  audience: facts.audience,
  clientId: 'ledgerly',
  expiresAt: 1600,
  familyId: facts.familyId,
  grantId: facts.grantId,
  grantType: 'authorization_code',
  issuedAt: 1000,
  keyId: 'k',
  scopes: facts.scopes,
  subject: facts.person,
  tokenId: '0199aa00-0000-7000-8000-0000000000a1',
}
const redeem: Redeem = { type: 'redeem', facts, refreshHash: 'r0', token, causeId: 'cause' }
const refresh = (presented: string, more: Partial<Refresh> = {}): Refresh => ({
  type: 'refresh',
  presented,
  sender: null,
  retrySeconds: 60,
  successor: { hash: `after-${presented}`, expiresAt: 6000 },
  token: { ...token, grantType: 'refresh_token' },
  at: 1500,
  causeId: 'cause',
  ...more,
})

const expire = (at: number): FamilyCommand => ({ type: 'expire', at })
const stolen: FamilyCommand = { type: 'stolen', causeId: 'cause' }
const revoke: FamilyCommand = {
  type: 'revoke',
  familyId: facts.familyId,
  why: { reason: 'client-revoked' },
}

const after = (...commands: FamilyCommand[]): FamilyState =>
  commands.reduce(
    (state, command) => family.decide(command, state).reduce((s, event) => family.evolve(s, event), state),
    family.initial,
  )
const names = (events: readonly FamilyEvent[]) => events.map(event => event.type)

// else the engine could not write them, and they would cost several times as much (canonicalJson)
it.each([
  ['a refresh', refresh('r0')],
  ['one that prolongs', refresh('r0', { successor: { hash: 'r0', expiresAt: 6000 } })],
  ['a revocation', revoke],
])('the event of %s is made in canonical order', (_, command) => {
  const [event] = family.decide(command, after(redeem))
  if (event === undefined) throw new Error('There is none')
  const { data } = event
  const internal = 'internal' in event ? event.internal : null
  expect(JSON.stringify([data, internal])).toBe(canonicalJson([data, internal]))
})

describe('a token family', () => {
  it('begins with the redemption of its code', () => {
    expect(names(family.decide(redeem, family.initial))).toEqual(['code.redeemed', 'token.issued'])
    expect(after(redeem)).toMatchObject({
      status: 'active',
      facts,
      refresh: { hash: 'r0', generation: 0, expiresAt: 5000 },
    })
  })

  it('ends when its code is presented again, and says why (RFC 6749 §4.1.2)', () => {
    const events = family.decide(redeem, after(redeem))
    expect(names(events)).toEqual(['code.replayed', 'token.revoked'])
    expect(events[1]?.data).toEqual({
      target: { kind: 'family', id: facts.familyId },
      issuedBefore: null,
      reason: 'code-replayed',
      cause: events[0] && 'id' in events[0] ? events[0].id : 'none',
    })
    expect(after(redeem, redeem).status).toBe('revoked')
    expect(family.decide(redeem, after(redeem, redeem))).toEqual([])
  })

  it('rotates its refresh token: each is good once', () => {
    expect(family.decide(refresh('r0'), after(redeem))).toEqual([
      {
        type: 'token.issued',
        data: { ...refresh('r0').token, refresh: { generation: 1, expiresAt: 6000 } },
        internal: { refreshHash: 'after-r0', at: 1500, sender: null },
      },
    ])
    expect(after(redeem, refresh('r0')).refresh).toEqual({
      hash: 'after-r0',
      replaced: [{ hash: 'r0', at: 1500, sender: null }],
      generation: 1,
      expiresAt: 6000,
    })
  })

  describe('whose refresh token stays (FAPI 2.0 §5.3.2.1-9)', () => {
    const again = refresh('r0', { successor: { hash: 'r0', expiresAt: 6000 } })

    it('lives on each time it is used', () => {
      expect(family.decide(again, after(redeem))).toEqual([
        { type: 'token.issued', data: { ...again.token, refresh: { generation: 0, expiresAt: 6000 } } },
      ])
      const used = { hash: 'r0', replaced: [], generation: 0, expiresAt: 6000 }
      expect(after(redeem, again).refresh).toEqual(used)
      expect(after(redeem, again, again).refresh).toEqual(used)
    })

    it('ends unused, with its family, and when it is revoked, like any other', () => {
      expect(family.decide({ ...again, at: 6000 }, after(redeem, again))).toEqual([])
      expect(names(family.decide(expire(6000), after(redeem, again)))).toEqual(['family.expired'])
      expect(family.decide(again, after(redeem, again, revoke))).toEqual([])
    })

    it('may have replaced one, which is a stolen one from then on', () => {
      const rotated = after(redeem, refresh('r0'))
      const stays = refresh('after-r0', { successor: { hash: 'after-r0', expiresAt: 7000 } })
      expect(family.decide(stays, rotated)).toEqual([
        { type: 'token.issued', data: { ...stays.token, refresh: { generation: 1, expiresAt: 7000 } } },
      ])
      expect(names(family.decide(refresh('r0'), after(redeem, refresh('r0'), stays)))).toEqual([
        'refresh.replayed',
        'token.revoked',
      ])
    })
  })

  it('ends when a replaced refresh token is presented (RFC 9700 §4.14.2)', () => {
    const rotated = after(redeem, refresh('r0'))
    expect(names(family.decide(refresh('r0'), rotated))).toEqual(['refresh.replayed', 'token.revoked'])
    // an older one, or by another client
    expect(names(family.decide(stolen, rotated))).toEqual(['refresh.replayed', 'token.revoked'])
    expect(family.decide(stolen, after(redeem, stolen))).toEqual([])
    expect(family.decide(stolen, family.initial)).toEqual([])
  })

  describe('whose refresh token is presented again', () => {
    const sender = 'client ledgerly'
    const rotated = after(redeem, refresh('r0', { sender }))

    it.each([0, 60])('by its sender, %i s later, gives the same successor and rotates nothing', later => {
      const again = refresh('r0', { sender, at: 1500 + later })
      expect(names(family.decide(again, rotated))).toEqual(['token.issued'])
      const state = after(redeem, refresh('r0', { sender }), again)
      expect(state).toEqual(rotated)
      expect(successorOf('r0', state)).toBe('after-r0')
    })

    it('by its sender, whose successor was used already, gives that successor all the same', () => {
      const state = after(redeem, refresh('r0', { sender }), refresh('after-r0', { sender }))
      expect(names(family.decide(refresh('r0', { sender }), state))).toEqual(['token.issued'])
      expect(successorOf('r0', state)).toBe('after-r0')
      expect(successorOf('after-r0', state)).toBe('after-after-r0')
    })

    it.each<[string, FamilyState, Partial<Refresh>]>([
      ['by somebody else', rotated, { sender: 'client other' }],
      ['by somebody who proves nothing', rotated, {}],
      ['too late', rotated, { sender, at: 1561 }],
      ['where nobody may ask again', rotated, { sender, at: 1501, retrySeconds: 0 }],
      ['by nobody in particular, as it was used by', after(redeem, refresh('r0')), { sender: null }],
    ])('%s ends the family', (_, state, by) => {
      expect(names(family.decide(refresh('r0', by), state))).toEqual(['refresh.replayed', 'token.revoked'])
    })
  })

  describe('whose time is over', () => {
    const capped = (more: Partial<FamilyFacts>) => after({ ...redeem, facts: { ...facts, ...more } })
    const expired = after(redeem, expire(5000))

    it.each<[string, FamilyState, number]>([
      ['idle', after(redeem), 5000],
      ['idle', after(redeem, refresh('r0')), 6000],
      ['absolute', capped({ refreshExpiresAt: 4000, familyExpiresAt: 4000 }), 4000],
      ['grant', capped({ refreshExpiresAt: 4000, familyExpiresAt: 4000, grantExpiresAt: 4000 }), 4000],
      ['idle', capped({ refreshExpiresAt: 3000, familyExpiresAt: 4000, grantExpiresAt: 4000 }), 3000],
    ])('says so, once, and why: %s', (cause, state, end) => {
      expect(family.deadline?.at(state)).toBe(end)
      expect(family.decide(expire(end - 1), state)).toEqual([])
      const { familyId, clientId, grantId } = facts
      const events = family.decide(expire(end), state)
      expect(events).toEqual([{ type: 'family.expired', data: { familyId, clientId, grantId, cause } }])
      const over = events.reduce(family.evolve, state)
      expect(family.decide(expire(end + 1), over)).toEqual([])
      expect(family.deadline?.at(over)).toBeNull()
    })

    it.each<[string, FamilyState]>([
      ['it was revoked', after(redeem, revoke)],
      ['it was never begun', family.initial],
      ['it has no refresh token', after({ ...redeem, refreshHash: null })],
    ])('says nothing where %s', (_, state) => {
      expect(family.deadline?.at(state)).toBeNull()
      expect(family.decide(expire(1e9), state)).toEqual([])
    })

    it.each<[string, FamilyCommand, string[]]>([
      ['refuses its last refresh token, whatever the sender’s clock', refresh('r0', { at: 4999 }), []],
      ['is revoked all the same: its last access token may live', revoke, ['token.revoked']],
      ['is stolen all the same', stolen, ['refresh.replayed', 'token.revoked']],
      ['has its code replayed all the same', redeem, ['code.replayed', 'token.revoked']],
    ])('%s', (_, command, events) => {
      expect(names(family.decide(command, expired))).toEqual(events)
    })

    it('gives no token to whoever asks again', () => {
      const rotated = refresh('r0', { sender: 'a', successor: { hash: 'r1', expiresAt: 1510 } })
      const state = after(redeem, rotated)
      expect(names(family.decide({ ...rotated, at: 1509 }, state))).toEqual(['token.issued'])
      expect(family.decide({ ...rotated, at: 1510 }, state)).toEqual([])
    })

    it.each<[string, FamilyState, number | null]>([
      ['while it may be refreshed: nobody knows', after(redeem), null],
      ['once it has expired: when its last access token has', expired, 5600],
      ['once it is revoked', after(redeem, expire(5000), revoke), 0],
      ['without a refresh token', after({ ...redeem, refreshHash: null }), 1600],
    ])('leaves the database, %s', (_, state, end) => {
      expect(family.endsAt?.(state)).toBe(end)
    })
  })

  it('keeps its promises whoever presents what, in whatever order', () => {
    const senders = ['client ledgerly', 'thief', null] as const
    const step = fc.record({
      sender: fc.constantFrom(...senders),
      back: fc.nat({ max: 7 }), // which of the tokens given out, the newest first
      wait: fc.constantFrom(0, 1, 30, 61, 4000),
      instead: fc.nat({ max: 30 }).map(n => (n === 0 ? 'revoke' : n < 4 ? 'expire' : null)),
    })
    const limits = fc.record({
      idle: fc.constantFrom(60, 5000),
      family: fc.constantFrom(30, 5000, 90_000),
      grant: fc.constantFrom(null, 1040, 9000),
    })
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 40 }), (limits, steps) => {
        let at = facts.startedAt
        const end = Math.min(at + limits.family, limits.grant ?? Number.POSITIVE_INFINITY)
        const limited: FamilyFacts = {
          ...facts,
          grantExpiresAt: limits.grant,
          familyExpiresAt: end,
          refreshExpiresAt: refreshEnd(at, limits.idle, end),
        }
        let state = after({ ...redeem, facts: limited })
        const given = ['r0']
        const used = new Map<string, { sender: string | null; at: number }>()
        for (const { sender, back, wait, instead } of steps) {
          at += wait
          const presented = given.at(-1 - back) ?? 'r0'
          const before = state
          // one that the state does not remember is found in the stream
          const forgotten = used.has(presented) && successorOf(presented, before) === undefined
          const command = refresh(presented, {
            sender,
            at,
            successor: { hash: `after-${presented}`, expiresAt: refreshEnd(at, limits.idle, end) },
          })
          const chosen = { revoke, expire: expire(at) }
          const events = family.decide(instead ? chosen[instead] : forgotten ? stolen : command, before)
          state = events.reduce((folded, event) => family.evolve(folded, event), before)
          const issued = names(events).includes('token.issued')
          const first = used.get(presented)
          // once revoked or expired, nothing is issued ever again; nor after its greatest age, nor after its grant
          if (before.status === 'revoked') expect(events).toEqual([])
          if (before.status === 'expired' || at >= end) expect(issued).toBe(false)
          expect(state.refresh?.expiresAt).toBeLessThanOrEqual(end)
          // it expires where nobody could have refreshed it, once, and is then no longer waited for
          const over = before.status === 'active' && at >= (before.refresh?.expiresAt ?? 0)
          if (instead === 'expire') expect(names(events)).toEqual(over ? ['family.expired'] : [])
          expect(family.deadline?.at(state) ?? null).toBe(
            state.status === 'active' ? (state.refresh?.expiresAt ?? null) : null,
          )
          if (instead || !issued) {
            // who was first with a token, and asks again in time, is never taken for a thief
            const again =
              instead === null && first !== undefined && first.sender === sender && sender !== null
            if (again && names(events).includes('refresh.replayed'))
              expect(at > first.at + 60 || successorOf(presented, before) === undefined).toBe(true)
            // and is refused only where it is too late for everybody
            if (again && before.status === 'active' && !over)
              expect(at > first.at + 60 || successorOf(presented, before) === undefined).toBe(true)
            continue
          }
          // what is issued goes to whoever was first, or to whoever presents the one live token
          if (first === undefined) expect(presented).toBe(before.refresh?.hash)
          else expect({ sender, late: at > first.at + 60 }).toEqual({ sender: first.sender, late: false })
          // one successor per token, and one live token
          expect(successorOf(presented, state)).toBe(`after-${presented}`)
          if (first === undefined) {
            used.set(presented, { sender, at })
            given.push(`after-${presented}`)
          }
          expect(state.refresh?.hash).toBe(given.at(-1))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['a refresh token that it never had', after(redeem), refresh('guess')],
    ['an expired refresh token', after(redeem), refresh('r0', { at: 5000 })],
    ['any refresh token once it is revoked', after(redeem, redeem), refresh('r0')],
    ['any refresh token when it has none', after({ ...redeem, refreshHash: null }), refresh('r0')],
    ['any refresh token of a code that was never redeemed', family.initial, refresh('r0')],
  ])('does nothing for %s', (_, state, command) => {
    expect(family.decide(command, state)).toEqual([])
  })

  it('is revoked once', () => {
    expect(names(family.decide(revoke, after(redeem)))).toEqual(['token.revoked'])
    expect(family.decide(revoke, after(redeem, revoke))).toEqual([])
    expect(family.decide(revoke, family.initial)).toEqual([])
  })

  it('is revoked by whom the command says, with what an operator said of it', () => {
    const why = { reason: 'operator', note: 'a stolen backup' } as const
    expect(family.decide({ ...revoke, why }, after(redeem))).toMatchObject([{ data: why }])
  })

  it('keeps a secret out of what is published', () => {
    const published = family.decide(redeem, family.initial).map(event => JSON.stringify(event.data))
    expect(published.join()).not.toContain('r0')
  })
})
