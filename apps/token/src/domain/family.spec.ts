import { describe, expect, it } from '@jest/globals'
import {
  type FamilyEvent,
  type FamilyFacts,
  type FamilyState,
  family,
  type Redeem,
  type Refresh,
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
  knownAsReplaced: false,
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
      replaced: 'r0',
      generation: 1,
      expiresAt: 6000,
    })
  })

  it('ends when a replaced refresh token is presented (RFC 9700 §4.14.2)', () => {
    const rotated = after(redeem, refresh('r0'))
    expect(names(family.decide(refresh('r0'), rotated))).toEqual(['refresh.replayed', 'token.revoked'])
    const twice = after(redeem, refresh('r0'), refresh('after-r0'))
    expect(names(family.decide(refresh('r0', { knownAsReplaced: true }), twice))).toEqual([
      'refresh.replayed',
      'token.revoked',
    ])
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
