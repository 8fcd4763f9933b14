import { assertFact } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import { type AccountCommand, type AccountState, account } from './account.js'

const accountId = '0199aa00-0000-7000-8000-0000000000ad'
const eventId = '0199aa00-0000-7000-8000-0000000000ca'
const register = { type: 'register', accountId } as const
const change = (cutoff: number | null) => ({ type: 'change-password', accountId, eventId, cutoff }) as const
const revoke = (cutoff: number) =>
  ({ type: 'revoke', accountId, cutoff, why: { reason: 'operator', note: 'stolen telephone' } }) as const

const suspend = { type: 'suspend', accountId, reason: 'stolen telephone', eventId, cutoff: 1005 } as const
const reinstate = { type: 'reinstate', accountId } as const

const registered = { type: 'account.registered', data: { accountId } }
const changed = { type: 'account.password-changed', id: eventId, data: { accountId } }
const revoked = (issuedBefore: number, why: object) => ({
  type: 'token.revoked',
  data: { target: { kind: 'owner', id: accountId }, issuedBefore, ...why },
})
const byOperator = { reason: 'operator', note: 'stolen telephone', cause: null }

const after = (...commands: AccountCommand[]): AccountState =>
  commands.reduce(
    (state, command) => account.decide(command, state).reduce(account.evolve, state),
    account.initial,
  )

describe('an account', () => {
  it.each([
    ['is registered', [], register, [registered], 0],
    ['is registered once', [register], register, [], 0],
    [
      'has all that was granted revoked, in one event',
      [register],
      revoke(1005),
      [revoked(1005, byOperator)],
      1005,
    ],
    ['has it revoked again later', [register, revoke(1005)], revoke(1006), [revoked(1006, byOperator)], 1006],
    [
      'has nothing revoked by a cutoff that reaches no further',
      [register, revoke(1005)],
      revoke(1005),
      [],
      1005,
    ],
    ['has nothing revoked before it exists', [], revoke(1005), [], 0],
    [
      'gets another password, and what was granted ends with the old one',
      [register],
      change(1005),
      [changed, revoked(1005, { reason: 'password-changed', cause: eventId })],
      1005,
    ],
    ['gets another password, and what was granted stays', [register], change(null), [changed], 0],
    ['keeps its cutoff then', [register, revoke(1005)], change(null), [changed], 1005],
    ['gets no password before it exists', [], change(1005), [], 0],
    [
      'is suspended, and what was granted ends',
      [register],
      suspend,
      [
        { type: 'account.suspended', id: eventId, data: { accountId, reason: 'stolen telephone' } },
        revoked(1005, { reason: 'account-suspended', cause: eventId }),
      ],
      1005,
    ],
    ['is suspended once', [register, suspend], { ...suspend, cutoff: 1006 }, [], 1005],
    [
      'is reinstated, and what was revoked stays so',
      [register, suspend],
      reinstate,
      [{ type: 'account.reinstated', data: { accountId } }],
      1005,
    ],
    ['is not reinstated when it may be used', [register], reinstate, [], 0],
    ['is not suspended before it exists', [], suspend, [], 0],
  ] satisfies [string, AccountCommand[], AccountCommand, object[], number][])(
    '%s',
    (_, given, when, then, cutoff) => {
      const events = account.decide(when, after(...given))
      expect(events).toEqual(then)
      for (const event of events) assertFact(event)
      expect(after(...given, when)).toMatchObject({
        registered: given.length > 0 || when === register,
        cutoff,
      })
    },
  )

  it('is suspended until it is reinstated', () => {
    expect(after(register, suspend).suspended).toBe(true)
    expect(after(register, suspend, reinstate).suspended).toBe(false)
    expect(after(register, suspend, reinstate, suspend).suspended).toBe(true)
  })

  it('records that it exists, and nothing of who she is', () => {
    const curious = {
      ...register,
      email: 'ada@example.com',
      name: 'Ada Byron',
      password: 'analytical-engine',
    }
    expect(account.decide(curious, account.initial)).toEqual([registered])
  })
})
