import { assertFact } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import { type Approve, type GrantCommand, type GrantEvent, type GrantState, grant } from './grant.js'

const grantId = '0199aa00-0000-7000-8000-0000000000f1'
const ada = '0199aa00-0000-7000-8000-0000000000ad'
const cause = '0199aa00-0000-7000-8000-0000000000ca'
const codeOf = (n: number) => ({ id: `0199aa00-0000-7000-8000-0000000000e${n}`, expiresAt: 1060 + n })
const day = 24 * 60 * 60

const approval: Approve['approval'] = {
  grantId,
  owner: { kind: 'person', id: ada },
  approvedBy: [ada],
  clientId: 'ledgerly',
  apiId: 'invoices',
  audience: 'https://api.example/invoices',
  scopes: ['invoices:read'],
  clientVersion: 1,
  apiVersion: 1,
  expiresAt: 100 * day,
}
const approve = (code: number, more: Partial<Approve['approval']> = {}): Approve => ({
  type: 'approve',
  approval: { ...approval, ...more },
  code: codeOf(code),
})
const device = { subject: ada, accessTokenSeconds: 600, authTime: 900, approvedAt: 1000 }
const approveDevice = (code: number, more: Partial<Approve['approval']> = {}): Approve => ({
  type: 'approve',
  approval: { ...approval, ...more },
  code: { ...codeOf(code), device },
})
const deny: GrantCommand = {
  type: 'deny',
  denial: { grantId, deniedBy: ada, clientId: 'ledgerly', apiId: 'invoices', scopes: ['invoices:read'] },
}
const denyDevice: GrantCommand = { ...deny, deviceId: codeOf(1).id }
const revoke: GrantCommand = {
  type: 'revoke',
  grantId,
  revokedBy: ada,
  why: { reason: 'owner-revoked' },
  eventId: cause,
}

const expire = (at: number): GrantCommand => ({ type: 'expire', grantId, at })

const after = (...commands: GrantCommand[]): GrantState =>
  commands.reduce((state, command) => grant.decide(command, state).reduce(grant.evolve, state), grant.initial)
const names = (events: readonly GrantEvent[]) => events.map(event => event.type)

describe('what is recorded of a grant', () => {
  it('of authorization details, their digest and nothing else', () => {
    const { approval, code } = approve(1)
    const detailed: GrantCommand = {
      type: 'approve',
      approval,
      code: { ...code, detailsDigest: 'd'.repeat(43) },
    }
    const [approved, issued] = grant.decide(detailed, grant.initial)
    expect(approved?.data).toEqual(approval)
    expect(issued?.data).toMatchObject({ codeId: code.id, detailsDigest: 'd'.repeat(43) })
  })

  it.each([
    ['the first approval, and its code', [], approve(1), ['grant.approved', 'grant.code-issued']],
    ['the same again: only its code', [approve(1)], approve(2), ['grant.code-issued']],
    ['the same form sent twice: nothing', [approve(1)], approve(1), []],
    [
      'one more scope: an amendment',
      [approve(1)],
      approve(2, { scopes: ['invoices:write'] }),
      ['grant.amended', 'grant.code-issued'],
    ],
    [
      'fewer scopes: only its code',
      [approve(1, { scopes: ['invoices:read', 'invoices:write'] })],
      approve(2),
      ['grant.code-issued'],
    ],
    [
      'other words of the client: an amendment',
      [approve(1)],
      approve(2, { clientVersion: 2 }),
      ['grant.amended', 'grant.code-issued'],
    ],
    [
      'other words of the API: an amendment',
      [approve(1)],
      approve(2, { apiVersion: 2 }),
      ['grant.amended', 'grant.code-issued'],
    ],
    [
      'an end that is a day later: an amendment',
      [approve(1)],
      approve(2, { expiresAt: 101 * day }),
      ['grant.amended', 'grant.code-issued'],
    ],
    [
      'an end that is less than a day later: only its code',
      [approve(1)],
      approve(2, { expiresAt: 101 * day - 1 }),
      ['grant.code-issued'],
    ],
    [
      'an end that is sooner: only its code',
      [approve(1)],
      approve(2, { expiresAt: 50 * day }),
      ['grant.code-issued'],
    ],
    [
      'no end where there was one: an amendment',
      [approve(1)],
      approve(2, { expiresAt: null }),
      ['grant.amended', 'grant.code-issued'],
    ],
    [
      'an end where there was none: only its code',
      [approve(1, { expiresAt: null })],
      approve(2),
      ['grant.code-issued'],
    ],
    ['the first approval of a device', [], approveDevice(1), ['grant.approved', 'grant.device-approved']],
    ['a device under a grant that stands', [approve(1)], approveDevice(2), ['grant.device-approved']],
    ['a device’s form sent twice: nothing', [approveDevice(1)], approveDevice(1), []],
    [
      'a device that may do more: an amendment',
      [approve(1)],
      approveDevice(2, { scopes: ['invoices:write'] }),
      ['grant.amended', 'grant.device-approved'],
    ],
    ['a device’s denial, which it is told', [], denyDevice, ['grant.denied', 'grant.device-denied']],
    ['a device’s denial once', [denyDevice], denyDevice, []],
    ['a denial', [], deny, ['grant.denied']],
    ['a denial once', [deny], deny, []],
    ['no denial of what stands', [approve(1)], deny, []],
    ['no approval after a denial', [deny], approve(1), []],
    ['a revocation, and its effect on tokens', [approve(1)], revoke, ['grant.revoked', 'token.revoked']],
    ['a revocation once', [approve(1), revoke], revoke, []],
    ['no revocation of what was never granted', [], revoke, []],
    ['no revocation of what was denied', [deny], revoke, []],
    ['no approval after a revocation: it never comes back', [approve(1), revoke], approve(2), []],
    ['no denial after a revocation', [approve(1), revoke], deny, []],
    ['its end', [approve(1)], expire(100 * day), ['grant.expired']],
    ['no end before its time', [approve(1)], expire(100 * day - 1), []],
    [
      'no end at a time that was put off',
      [approve(1), approve(2, { expiresAt: 200 * day })],
      expire(100 * day),
      [],
    ],
    ['no end where it has none', [approve(1, { expiresAt: null })], expire(1e9), []],
    ['its end once', [approve(1), expire(100 * day)], expire(101 * day), []],
    ['no end of what was revoked', [approve(1), revoke], expire(100 * day), []],
    ['no end of what was denied', [deny], expire(100 * day), []],
    ['no approval after its end: that is another grant', [approve(1), expire(100 * day)], approve(2), []],
    ['no revocation after its end: no token outlives it', [approve(1), expire(100 * day)], revoke, []],
  ] satisfies [string, GrantCommand[], GrantCommand, string[]][])('%s', (_, given, when, then) => {
    expect(names(grant.decide(when, after(...given)))).toEqual(then)
  })
})

describe('what the token service hears of a device (RFC 8628)', () => {
  const facts = {
    deviceId: codeOf(2).id,
    grantId,
    clientId: 'ledgerly',
    owner: approval.owner,
    audience: approval.audience,
    scopes: approval.scopes,
    ...device,
    expiresAt: codeOf(2).expiresAt,
  }

  it('is all that a code would tell it', () => {
    const [, told] = grant.decide(approveDevice(2), grant.initial)
    expect(told).toEqual({
      type: 'grant.device-approved',
      data: { ...facts, grantExpiresAt: approval.expiresAt },
    })
  })

  it('is the end of the grant that stands, where nothing is amended', () => {
    const [told] = grant.decide(approveDevice(2, { expiresAt: 50 * day }), after(approve(1)))
    expect(told?.data).toEqual({ ...facts, grantExpiresAt: 100 * day })
  })

  it('is the end as it is amended', () => {
    const [, told] = grant.decide(approveDevice(2, { expiresAt: 200 * day }), after(approve(1)))
    expect(told?.data).toMatchObject({ grantExpiresAt: 200 * day })
  })
})

describe('what a grant covers', () => {
  it('is what was approved', () => {
    expect(after(approve(1))).toEqual({
      status: 'active',
      owner: approval.owner,
      scopes: ['invoices:read'],
      clientVersion: 1,
      apiVersion: 1,
      expiresAt: 100 * day,
      code: codeOf(1),
    })
  })

  it('grows by an amendment, which tells all of it; the code gets only what was asked for', () => {
    const wider = approve(2, { scopes: ['invoices:write', 'invoices:read', 'reports:read'], apiVersion: 3 })
    const [amended, issued] = grant.decide(wider, after(approve(1)))
    expect(amended?.data).toEqual({
      grantId,
      approvedBy: [ada],
      scopes: ['invoices:read', 'invoices:write', 'reports:read'],
      clientVersion: 1,
      apiVersion: 3,
      expiresAt: 100 * day,
    })
    expect(issued?.data).toMatchObject({ codeId: codeOf(2).id, scopes: wider.approval.scopes })

    const narrow = approve(3, { scopes: ['reports:read'], apiVersion: 3 })
    expect(grant.decide(narrow, after(approve(1), wider))).toEqual([
      {
        type: 'grant.code-issued',
        data: { grantId, codeId: codeOf(3).id, scopes: ['reports:read'], expiresAt: codeOf(3).expiresAt },
      },
    ])
  })

  it('keeps its owner, whatever an amendment says', () => {
    const other = approve(2, { owner: { kind: 'organization', id: cause }, scopes: ['invoices:write'] })
    expect(after(approve(1), other).owner).toEqual(approval.owner)
  })

  it('keeps its end when less is approved', () => {
    expect(after(approve(1, { expiresAt: null }), approve(2)).expiresAt).toBeNull()
    expect(after(approve(1), approve(2, { expiresAt: 50 * day })).expiresAt).toBe(100 * day)
  })

  it('is waited for to end, for as long as it has an end', () => {
    expect(grant.deadline?.at(after(approve(1)))).toBe(100 * day)
    expect(grant.deadline?.at(after(approve(1), approve(2, { expiresAt: 200 * day })))).toBe(200 * day)
    for (const none of [
      after(approve(1, { expiresAt: null })),
      after(approve(1), revoke),
      after(approve(1), expire(100 * day)),
      after(deny),
    ])
      expect(grant.deadline?.at(none)).toBeNull()
    // then nothing of it is to be decided any more
    expect(grant.endsAt?.(after(approve(1)))).toBeNull()
    expect(grant.endsAt?.(after(approve(1), expire(100 * day)))).toBe(0)
  })

  // RFC 7009 §2.1: what was issued under a grant ends with it
  it('ends for every token, with the revocation as the cause', () => {
    expect(grant.decide(revoke, after(approve(1)))).toEqual([
      { type: 'grant.revoked', id: cause, data: { grantId, revokedBy: ada } },
      {
        type: 'token.revoked',
        data: { target: { kind: 'grant', id: grantId }, issuedBefore: null, reason: 'owner-revoked', cause },
      },
    ])
  })

  it('is ended by an operator, who says why, in nobody’s name', () => {
    const command: GrantCommand = {
      type: 'revoke',
      grantId,
      revokedBy: null,
      why: { reason: 'operator', note: 'reported' },
      eventId: cause,
    }
    const events = grant.decide(command, after(approve(1)))
    for (const event of events) assertFact(event)
    expect(events).toMatchObject([
      { type: 'grant.revoked', data: { grantId, revokedBy: null } },
      { type: 'token.revoked', data: { reason: 'operator', note: 'reported', cause } },
    ])
  })

  it('is the same state step by step and replayed, and only says what the catalogue knows', () => {
    const commands = [
      approve(1),
      approve(2, { scopes: ['invoices:write'] }),
      approve(3, { expiresAt: null, clientVersion: 2 }),
      approveDevice(4),
      deny,
      denyDevice,
      revoke,
      expire(100 * day),
    ]
    const ends = new Set<string>()
    for (const sequence of sequencesOf(commands, 4)) {
      let state = grant.initial
      const log: GrantEvent[] = []
      for (const command of sequence) {
        const events = grant.decide(command, state)
        for (const event of events) assertFact(event)
        log.push(...events)
        // as the store keeps it
        state = JSON.parse(JSON.stringify(events.reduce(grant.evolve, state))) as GrantState
      }
      expect(log.reduce(grant.evolve, grant.initial)).toEqual(state)
      // the first answer decides: what was revoked was once approved, what was denied never was
      const told = names(log)
      expect(told.filter(name => name === 'grant.approved').length).toBe(
        ['active', 'revoked', 'expired'].includes(state.status) ? 1 : 0,
      )
      expect(told.at(-1) === 'token.revoked').toBe(state.status === 'revoked')
      expect(told.at(-1) === 'grant.expired').toBe(state.status === 'expired')
      expect(['grant.denied', 'grant.device-denied'].includes(told.at(-1) ?? '')).toBe(
        state.status === 'denied',
      )
      ends.add(state.status)
    }
    expect([...ends].sort()).toEqual(['active', 'denied', 'expired', 'revoked', 'unknown'])
  })
})

/** Every order in which this many of the commands may come, with repetition. */
function sequencesOf<T>(commands: readonly T[], length: number): T[][] {
  if (length === 0) return [[]]
  return sequencesOf(commands, length - 1).flatMap(begun => commands.map(command => [...begun, command]))
}
