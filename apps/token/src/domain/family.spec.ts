import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type FamilyEvent,
  type FamilyFacts,
  type FamilyState,
  family,
  type Redeem,
  type Refresh,
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
  person: '0199aa00-0000-7000-8000-0000000000ad',
  authTime: 900,
  accessTokenSeconds: 600,
  startedAt: 1000,
  boundTo: null,
}
const token: Redeem['token'] = {
  tokenId: '0199aa00-0000-7000-8000-0000000000a1',
  grantType: 'authorization_code',
  clientId: 'ledgerly',
  familyId: facts.familyId,
  grantId: facts.grantId,
  subject: facts.person,
  audience: facts.audience,
  scopes: facts.scopes,
  keyId: 'k',
  issuedAt: 1000,
  expiresAt: 1600,
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

type Command = Parameters<typeof family.decide>[0]
const after = (...commands: Command[]): FamilyState =>
  commands.reduce(
    (state, command) => family.decide(command, state).reduce((s, event) => family.evolve(s, event), state),
    family.initial,
  )
const names = (events: readonly FamilyEvent[]) => events.map(event => event.type)

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
    expect(names(family.decide(refresh('r0'), after(redeem)))).toEqual(['refresh.rotated', 'token.issued'])
    expect(after(redeem, refresh('r0')).refresh).toEqual({
      hash: 'after-r0',
      replaced: [{ hash: 'r0', at: 1500, sender: null }],
      generation: 1,
      expiresAt: 6000,
    })
  })

  it('ends when a replaced refresh token is presented (RFC 9700 §4.14.2)', () => {
    const rotated = after(redeem, refresh('r0'))
    expect(names(family.decide(refresh('r0'), rotated))).toEqual(['refresh.replayed', 'token.revoked'])
    const stolen = { type: 'stolen', causeId: 'cause' } as const // an older one, or by another client
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

  it('keeps its promises whoever presents what, in whatever order', () => {
    const senders = ['client ledgerly', 'thief', null] as const
    const step = fc.record({
      sender: fc.constantFrom(...senders),
      back: fc.nat({ max: 7 }), // which of the tokens given out, the newest first
      wait: fc.constantFrom(0, 1, 30, 61, 4000),
      revoke: fc.nat({ max: 30 }).map(n => n === 0),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        let state = after(redeem)
        let at = 1500
        const given = ['r0']
        const used = new Map<string, { sender: string | null; at: number }>()
        for (const { sender, back, wait, revoke } of steps) {
          at += wait
          const presented = given.at(-1 - back) ?? 'r0'
          const before = state
          // one that the state does not remember is found in the stream
          const forgotten = used.has(presented) && successorOf(presented, before) === undefined
          const command = refresh(presented, {
            sender,
            at,
            successor: { hash: `after-${presented}`, expiresAt: at + 5000 },
          })
          const events = family.decide(
            revoke
              ? { type: 'revoke', familyId: facts.familyId }
              : forgotten
                ? { type: 'stolen', causeId: 'cause' }
                : command,
            before,
          )
          state = events.reduce((folded, event) => family.evolve(folded, event), before)
          const issued = names(events).includes('token.issued')
          const first = used.get(presented)
          // once revoked, nothing is issued ever again
          if (before.status === 'revoked') expect(events).toEqual([])
          if (revoke || !issued) {
            // who was first with a token, and asks again in time, is never taken for a thief
            if (!revoke && before.status === 'active' && first && first.sender === sender && sender !== null)
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
    const revoke = { type: 'revoke', familyId: facts.familyId } as const
    expect(names(family.decide(revoke, after(redeem)))).toEqual(['token.revoked'])
    expect(family.decide(revoke, after(redeem, revoke))).toEqual([])
    expect(family.decide(revoke, family.initial)).toEqual([])
  })

  it('keeps a secret out of what is published', () => {
    const published = family.decide(redeem, family.initial).map(event => JSON.stringify(event.data))
    expect(published.join()).not.toContain('r0')
  })
})
