import { describe, expect, it } from '@jest/globals'
import { type RevocableToken, RevocationSet, type TargetKind, targetKinds } from './revocation-set.js'

const hour = 3600

function at(start: number) {
  const clock = { now: start }
  const set = new RevocationSet({
    maxTokenLifetimeSeconds: hour,
    clockSkewSeconds: 10,
    now: () => clock.now,
  })
  return { clock, set }
}

const token: RevocableToken = {
  tokenId: 'the-token',
  familyId: 'the-family',
  grantId: 'the-grant',
  clientId: 'the-client',
  subject: 'the-owner',
  organizationId: 'the-organization',
  keyId: 'the-key',
  issuedAt: 1000,
}

describe('the revocation set', () => {
  it('holds nothing against a token of which nothing was said', () => {
    expect(at(1000).set.revokedBy(token)).toBeUndefined()
  })

  describe.each([...targetKinds])('a revocation of a %s', kind => {
    const target = { kind, id: `the-${kind}` }

    it('reaches the tokens that name it', () => {
      const { set } = at(1000)
      set.apply({ target, issuedBefore: null })
      expect(set.revokedBy(token)).toBe(kind)
    })

    it('reaches the tokens that one of them was exchanged for, as of the time of that one', () => {
      const exchanged = { tokenId: 'new', clientId: 'api', subject: 'her', keyId: 'key-2', issuedAt: 1500 }
      const { set } = at(1000)
      set.apply({ target, issuedBefore: 1000 })
      expect(set.revokedBy({ ...exchanged, lineage: [token] })).toBe(kind)
      expect(set.revokedBy({ ...exchanged, lineage: [{ ...token, issuedAt: 1001 }] })).toBeUndefined()
      expect(set.revokedBy({ ...exchanged, lineage: [{ ...exchanged, issuedAt: 1 }, token] })).toBe(kind)
      expect(set.revokedBy(exchanged)).toBeUndefined()
    })

    it('reaches no token that names another', () => {
      const { set } = at(1000)
      set.apply({ target: { kind, id: 'another' }, issuedBefore: null })
      expect(set.revokedBy(token)).toBeUndefined()
    })

    it('reaches no token in which the id stands for something else', () => {
      const { set } = at(1000)
      for (const other of targetKinds.filter(each => each !== kind)) {
        set.apply({ target: { kind: other, id: `the-${kind}` }, issuedBefore: null })
      }
      expect(set.revokedBy(token)).toBeUndefined()
    })

    it.each([
      [999, undefined],
      [1000, kind], // "tokens with iat <= it"
      [1001, kind],
    ])('with the cutoff %d and a token issued at 1000: %s', (issuedBefore, expected) => {
      const { set } = at(1000)
      set.apply({ target, issuedBefore })
      expect(set.revokedBy(token)).toBe(expected)
    })

    it('only ever moves its cutoff later, in whatever order it is heard', () => {
      for (const cutoffs of [
        [900, 1000],
        [1000, 900],
        [null, 900],
        [900, null],
        [1000, 1000],
      ]) {
        const { set } = at(1000)
        for (const issuedBefore of cutoffs) set.apply({ target, issuedBefore })
        expect({ cutoffs, revoked: set.revokedBy(token), size: set.size }).toEqual({
          cutoffs,
          revoked: kind,
          size: 1,
        })
      }
    })
  })

  it('does not take a missing name for a name', () => {
    const { set } = at(1000)
    for (const kind of ['family', 'grant', 'organization'] as const) {
      set.apply({ target: { kind, id: 'undefined' }, issuedBefore: null })
      set.apply({ target: { kind, id: '' }, issuedBefore: null })
    }
    const bare = { ...token, familyId: undefined, grantId: undefined, organizationId: undefined }
    expect(set.revokedBy(bare)).toBeUndefined()
  })

  it('ignores a kind of target that came after it', () => {
    const { set } = at(1000)
    set.apply({ target: { kind: 'device' as TargetKind, id: 'the-token' }, issuedBefore: null })
    expect({ size: set.size, revoked: set.revokedBy(token) }).toEqual({ size: 0, revoked: undefined })
  })

  it('forgets a revocation when every token that it covers has expired, and not a second before', () => {
    const { set, clock } = at(1000)
    const target = { kind: 'token', id: 'the-token' } as const
    set.apply({ target, issuedBefore: null })
    clock.now = 1000 + hour + 10
    set.prune()
    expect(set.revokedBy(token)).toBe('token')
    clock.now += 1
    set.prune()
    expect({ size: set.size, revoked: set.revokedBy(token) }).toEqual({ size: 0, revoked: undefined })
  })

  it('keeps revocations that came together apart: each ends as it was told to', () => {
    const { set, clock } = at(1000)
    const names = { token: 'the-token', family: 'the-family', grant: 'the-grant' } as const
    set.apply({ target: { kind: 'token', id: names.token }, issuedBefore: 900 })
    set.apply({ target: { kind: 'family', id: names.family }, issuedBefore: 900 })
    clock.now = 1001
    set.apply({ target: { kind: 'grant', id: names.grant }, issuedBefore: 900 })
    set.apply({ target: { kind: 'token', id: names.token }, issuedBefore: 1000 })
    const only = (name: object) => ({
      tokenId: 'x',
      clientId: 'x',
      subject: 'x',
      keyId: 'x',
      issuedAt: 950,
      ...name,
    })
    expect(set.revokedBy(only({ tokenId: names.token }))).toBe('token')
    expect(set.revokedBy(only({ familyId: names.family }))).toBeUndefined()
    expect(set.revokedBy(only({ familyId: names.family, issuedAt: 900 }))).toBe('family')
    expect(set.revokedBy(only({ grantId: names.grant }))).toBeUndefined()
    clock.now = 1000 + hour + 11
    set.prune()
    expect(set.revokedBy(only({ familyId: names.family, issuedAt: 900 }))).toBeUndefined()
    expect(set.revokedBy(only({ grantId: names.grant, issuedAt: 900 }))).toBe('grant')
  })

  it('never forgets a key: whoever has it makes tokens that are as young as he likes', () => {
    const { set, clock } = at(1000)
    set.apply({ target: { kind: 'key', id: 'the-key' }, issuedBefore: null })
    clock.now = 1000 + 1000 * hour
    set.prune()
    expect(set.revokedBy({ ...token, issuedAt: clock.now })).toBe('key')
  })

  it('counts from the cutoff where that lies in the future', () => {
    const { set, clock } = at(1000)
    set.apply({ target: { kind: 'client', id: 'the-client' }, issuedBefore: 1500 })
    clock.now = 1500 + hour + 10
    set.prune()
    expect(set.revokedBy({ ...token, issuedAt: 1500 })).toBe('client')
    clock.now += 1
    set.prune()
    expect(set.size).toBe(0)
  })

  it('counts from the later of two cutoffs', () => {
    const { set, clock } = at(1000)
    const target = { kind: 'owner', id: 'the-owner' } as const
    set.apply({ target, issuedBefore: 1000 })
    clock.now = 3000
    set.apply({ target, issuedBefore: 3000 })
    clock.now = 1000 + hour + 11
    set.prune()
    expect(set.revokedBy({ ...token, issuedAt: 2999 })).toBe('owner')
  })

  it('is bounded: three hours of revocations take the memory of one, without being told to forget', () => {
    const { set, clock } = at(0)
    const perSecond = 5
    let largest = 0
    for (; clock.now < 3 * hour; clock.now += 1) {
      for (let each = 0; each < perSecond; each += 1) {
        set.apply({ target: { kind: 'family', id: `${clock.now}-${each}` }, issuedBefore: null })
      }
      largest = Math.max(largest, clock.now % 30 === 0 ? set.size : 0)
    }
    // it forgets once a minute
    expect(largest).toBeLessThanOrEqual(perSecond * (hour + 10 + 61))
    expect(largest).toBeGreaterThan(perSecond * hour)
  })
})
