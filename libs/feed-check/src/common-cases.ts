import { revocationTargets } from '@grantlog/contracts'
import type { Case } from './case.js'
import { type Feed, type Revocation, targetOn } from './feed.js'
import { seconds } from './stage.js'

/** What may happen however the feed is read, and ends no consumer. */
export const commonCases: readonly Case<Feed>[] = [
  {
    name: 'revoked half an hour before it started',
    rule: 2,
    run: stage => stage.applied(stage.earlier, 'Begin an hour back, on each partition.'),
  },
  {
    name: 'a revocation of each kind, with a cutoff and without',
    rule: 0,
    async run(stage) {
      const cutoff = seconds()
      const revocations = revocationTargets.flatMap((kind, index) => [
        { target: targetOn(index % 3, kind), issuedBefore: cutoff },
        { target: targetOn(index % 3, kind), issuedBefore: null },
      ])
      await stage.feed.revoke(...revocations)
      await stage.applied(revocations, 'Read every kind of target; a cutoff of null covers all tokens.')
      for (const { target, issuedBefore } of revocations.filter(each => each.issuedBefore !== null))
        await stage.allows(
          target,
          (issuedBefore ?? 0) + 1,
          `It refuses a token of ${target.kind} that was issued after the cutoff: only iat <= issuedBefore is revoked.`,
        )
    },
  },
  {
    name: 'a target again, with another cutoff',
    rule: 0,
    async run(stage) {
      const [first, forGood] = [targetOn(0), targetOn(1)]
      const now = seconds()
      await stage.feed.revoke(
        { target: first, issuedBefore: now },
        { target: first, issuedBefore: now + 5 },
        { target: first, issuedBefore: now - 600 },
        { target: forGood, issuedBefore: null },
        { target: forGood, issuedBefore: now },
      )
      await stage.applied(
        [
          { target: first, issuedBefore: now + 5 },
          { target: forGood, issuedBefore: null },
        ],
        'The widest cutoff of a target counts, and null is wider than any.',
      )
    },
  },
  {
    name: 'a restart',
    rule: 2,
    restarts: true,
    async run(stage) {
      const before: Revocation = { target: targetOn(0), issuedBefore: null }
      const meanwhile: Revocation = { target: targetOn(1), issuedBefore: null }
      await stage.feed.revoke(before)
      await stage.applied([before], 'It was revoked before the restart.')
      await stage.consumer.stop()
      await stage.feed.revoke(meanwhile)
      await stage.restart()
      await stage.applied(
        [...stage.earlier, before, meanwhile],
        'Memory is lost with the process: begin an hour back again, not where you were.',
      )
    },
  },
]
