import { definitionOf, type RecordedEvent } from '@grantlog/contracts'
import { fold, type Row } from '@grantlog/eventing'
import { expect, it } from '@jest/globals'
import { cutoffs } from './cutoffs.projection.js'
import { grants, lastUses } from './grants.projection.js'

const { example } = definitionOf('token.issued')
const issued = (familyId: string, issuedAt: number) =>
  ({
    type: 'token.issued',
    streamId: `family-${familyId}`,
    data: { ...example, grantId: 'g', familyId, issuedAt },
  }) as unknown as RecordedEvent

it('a grant was last used when the latest token was issued, in whatever order its families are heard of', () => {
  const events = [issued('a', 10), issued('b', 30), issued('a', 20)]
  for (const order of [events, events.toReversed()]) {
    const rows = new Map<string, Row | undefined>()
    fold(lastUses, rows, order)
    expect([...rows.values()]).toEqual([{ grant_id: 'g', last_used_at: 30 }])
  }
})

it('a grant that has expired says since when that is known, and is not taken for a revoked one', () => {
  const time = '2027-01-01T00:00:30.000Z'
  const event = (type: 'grant.approved' | 'grant.expired') =>
    ({
      type,
      streamId: 'grant-g',
      time,
      data: { ...definitionOf(type).example, grantId: 'g' },
    }) as unknown as RecordedEvent
  const rows = new Map<string, Row | undefined>()
  fold(grants, rows, [event('grant.approved'), event('grant.expired')])
  expect(rows.get('g')).toMatchObject({ grant_id: 'g', expired_at: time, revoked_at: null })
})

it('a grant names everybody whose approval is in it, also one whose approval was not the last', () => {
  const event = (type: 'grant.approved' | 'grant.amended', approvedBy: string[]) =>
    ({
      type,
      streamId: 'grant-g',
      time: '2027-01-01T00:00:30.000Z',
      data: { ...definitionOf(type).example, grantId: 'g', approvedBy },
    }) as unknown as RecordedEvent
  const rows = new Map<string, Row | undefined>()
  fold(grants, rows, [
    event('grant.approved', ['ada']),
    event('grant.amended', ['charles']),
    event('grant.amended', ['ada']),
  ])
  expect(rows.get('g')).toMatchObject({ approved_by: 'ada', approvers: ['ada', 'charles'] })
})

it('an owner’s cutoff only ever moves later, whichever service’s revocation comes first; other targets have none', () => {
  const revoked = (kind: string, issuedBefore: number | null) =>
    ({
      type: 'token.revoked',
      streamId: `account-a`,
      time: '2027-01-01T00:00:30.000Z',
      data: { target: { kind, id: 'a' }, issuedBefore },
    }) as unknown as RecordedEvent
  const rows = new Map<string, Row | undefined>()
  fold(cutoffs, rows, [
    revoked('owner', 20),
    revoked('owner', 10),
    revoked('organization', 30),
    revoked('client', 40),
    revoked('grant', null),
  ])
  expect([...rows.values()]).toMatchObject([
    { owner: 'person:a', revoked_until: 20 },
    { owner: 'organization:a', revoked_until: 30 },
  ])
})
