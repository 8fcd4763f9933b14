import { assertFact } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import { mayActFor, type OrganizationCommand, type OrganizationState, organization } from './organization.js'

const organizationId = '0199aa00-0000-7000-8000-0000000000c0'
const ada = '0199aa00-0000-7000-8000-0000000000ad'
const charles = '0199aa00-0000-7000-8000-0000000000cb'
const create = { type: 'create', organizationId } as const
const add = (accountId: string, role: 'administrator' | 'member') =>
  ({ type: 'add-member', organizationId, accountId, role }) as const

const remove = (accountId: string) => ({ type: 'remove-member', organizationId, accountId }) as const
const revoke = (cutoff: number) =>
  ({ type: 'revoke', organizationId, cutoff, why: { reason: 'operator', note: 'sold' } }) as const

const after = (...commands: OrganizationCommand[]): OrganizationState =>
  commands.reduce(
    (state, command) => organization.decide(command, state).reduce(organization.evolve, state),
    organization.initial,
  )

describe('an organization', () => {
  it.each([
    [
      'is created',
      [],
      create,
      [{ type: 'organization.created', data: { organizationId } }],
      { created: true, members: {}, cutoff: 0 },
    ],
    [
      'is created once',
      [create, add(ada, 'member')],
      create,
      [],
      { created: true, members: { [ada]: 'member' }, cutoff: 0 },
    ],
    [
      'takes a member',
      [create],
      add(ada, 'member'),
      [{ type: 'organization.member-added', data: { organizationId, accountId: ada, role: 'member' } }],
      { created: true, members: { [ada]: 'member' }, cutoff: 0 },
    ],
    [
      'takes a second one beside the first',
      [create, add(ada, 'administrator')],
      add(charles, 'member'),
      [{ type: 'organization.member-added', data: { organizationId, accountId: charles, role: 'member' } }],
      { created: true, members: { [ada]: 'administrator', [charles]: 'member' }, cutoff: 0 },
    ],
    [
      'takes nobody before it exists',
      [],
      add(ada, 'administrator'),
      [],
      { created: false, members: {}, cutoff: 0 },
    ],
    [
      'makes no administrator of a member by adding her again',
      [create, add(ada, 'member')],
      add(ada, 'administrator'),
      [],
      { created: true, members: { [ada]: 'member' }, cutoff: 0 },
    ],
    [
      'takes no administrator’s role away by adding her again',
      [create, add(ada, 'administrator')],
      add(ada, 'member'),
      [],
      { created: true, members: { [ada]: 'administrator' }, cutoff: 0 },
    ],
    [
      'lets a member go',
      [create, add(ada, 'administrator'), add(charles, 'member')],
      remove(ada),
      [{ type: 'organization.member-removed', data: { organizationId, accountId: ada } }],
      { created: true, members: { [charles]: 'member' }, cutoff: 0 },
    ],
    ['lets nobody go who is no member', [create], remove(ada), [], { created: true, members: {}, cutoff: 0 }],
    [
      'takes back whoever had gone',
      [create, add(ada, 'administrator'), remove(ada)],
      add(ada, 'member'),
      [{ type: 'organization.member-added', data: { organizationId, accountId: ada, role: 'member' } }],
      { created: true, members: { [ada]: 'member' }, cutoff: 0 },
    ],
    [
      'has all that was granted revoked, in one event',
      [create],
      revoke(1005),
      [
        {
          type: 'token.revoked',
          data: {
            target: { kind: 'organization', id: organizationId },
            issuedBefore: 1005,
            reason: 'operator',
            note: 'sold',
            cause: null,
          },
        },
      ],
      { created: true, members: {}, cutoff: 1005 },
    ],
    [
      'has nothing revoked by a cutoff that reaches no further',
      [create, revoke(1005)],
      revoke(1004),
      [],
      { created: true, members: {}, cutoff: 1005 },
    ],
    [
      'has nothing revoked before it exists',
      [],
      revoke(1005),
      [],
      { created: false, members: {}, cutoff: 0 },
    ],
  ] satisfies [string, OrganizationCommand[], OrganizationCommand, object[], object][])(
    '%s',
    (_, given, when, then, state) => {
      expect(organization.decide(when, after(...given))).toEqual(then)
      expect(after(...given, when)).toEqual(state)
    },
  )

  it.each([
    ['an administrator', [create, add(ada, 'administrator')], ada, true],
    ['a member', [create, add(ada, 'member')], ada, false],
    ['somebody else', [create, add(ada, 'administrator')], charles, false],
    ['anybody, before it exists', [add(ada, 'administrator')], ada, false],
    ['whoever was removed', [create, add(ada, 'administrator'), remove(ada)], ada, false],
    ['a name that every object has', [create], 'constructor', false],
  ] satisfies [string, OrganizationCommand[], string, boolean][])(
    'may %s act for it?',
    (_, given, accountId, answer) => {
      expect(mayActFor(after(...given), accountId)).toBe(answer)
    },
  )

  it('is the same state step by step and replayed, and only says what the catalogue knows', () => {
    const commands = [
      create,
      add(ada, 'administrator'),
      add(ada, 'member'),
      add(charles, 'member'),
      remove(ada),
      revoke(1),
    ]
    const seen = new Set<string>()
    for (const sequence of sequencesOf(commands, 4)) {
      let state = organization.initial
      const log = []
      for (const command of sequence) {
        const events = organization.decide(command, state)
        for (const event of events) assertFact(event)
        log.push(...events)
        // as the store keeps it
        state = JSON.parse(JSON.stringify(events.reduce(organization.evolve, state)))
      }
      expect(log.reduce(organization.evolve, organization.initial)).toEqual(state)
      seen.add(JSON.stringify(state))
    }
    // nothing; created; with one of three, or with Charles and one of two
    expect(seen.size).toBeGreaterThanOrEqual(7)
  })
})

/** Every order in which this many of the commands may come, with repetition. */
function sequencesOf<T>(commands: readonly T[], length: number): T[][] {
  if (length === 0) return [[]]
  return sequencesOf(commands, length - 1).flatMap(begun => commands.map(command => [...begun, command]))
}
