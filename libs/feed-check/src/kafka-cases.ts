import type { Case } from './case.js'
import { commonCases } from './common-cases.js'
import { grown, ofUnknownType, partitions, type Revocation, targetOn } from './feed.js'
import type { KafkaFeed } from './kafka-feed.js'
import { alarmSeconds } from './stage.js'

/** What may happen on the topic, and what a consumer has to do. Those that end it come last. */
export const kafkaCases: readonly Case<KafkaFeed>[] = [
  ...commonCases,
  {
    name: 'revocations on all three partitions',
    rule: 1,
    async run(stage) {
      const revocations = [...partitions, ...partitions].map(partition => ({
        target: targetOn(partition),
        issuedBefore: null,
      }))
      await stage.feed.revoke(...revocations)
      await stage.applied(revocations, 'Read all three partitions in each process, as a group of one.')
    },
  },
  {
    name: 'sources that take turns on one partition',
    rule: 3,
    async run(stage) {
      const { feed } = stage
      const revocations = Array.from({ length: 6 }, () => ({ target: targetOn(0), issuedBefore: null }))
      await feed.revoke({ target: targetOn(1), issuedBefore: null }) // so that numbers are missing on partition 0
      const sources = ['clients', 'token', 'consent', 'token', 'clients', 'consent'] as const
      await feed.send(
        revocations.map((revocation, index) =>
          feed.message(feed.logs.revoked(revocation, sources[index] ?? 'token')),
        ),
      )
      const otherwise =
        'Each source has a chain of its own on each partition: numbers that are missing there are on others.'
      await stage.applied(revocations, otherwise)
      await stage.serves(otherwise)
    },
  },
  {
    name: 'messages that come twice',
    rule: 3,
    async run(stage) {
      const { feed } = stage
      const sent = Array.from({ length: 3 }, () => ({ target: targetOn(2), issuedBefore: null }))
      const messages = sent.map(revocation => feed.message(feed.logs.revoked(revocation)))
      await feed.send(messages)
      await feed.send(messages.slice(-1))
      await feed.send(messages) // as a publisher that did not see the answer sends a batch again
      const next: Revocation = { target: targetOn(2), issuedBefore: null }
      await feed.revoke(next)
      const otherwise =
        'A message whose logseq is not above the last is a duplicate: drop it, and keep the last.'
      await stage.applied([...sent, next], otherwise)
      await stage.serves(otherwise)
    },
  },
  {
    name: 'an event type that it does not know',
    rule: 5,
    async run(stage) {
      const { feed } = stage
      const unknown = feed.logs.revoked({ target: targetOn(0), issuedBefore: null })
      const next: Revocation = { target: targetOn(0), issuedBefore: null }
      await feed.send([feed.message(ofUnknownType(unknown)), feed.message(feed.logs.revoked(next))])
      const otherwise = 'Ignore event types that you do not know; they are links of the chain all the same.'
      await stage.applied([next], otherwise)
      await stage.serves(otherwise)
    },
  },
  {
    name: 'fields that it does not know',
    rule: 5,
    async run(stage) {
      const { feed } = stage
      const revocation: Revocation = { target: targetOn(1), issuedBefore: null }
      await feed.send([feed.message(grown(feed.logs.revoked(revocation)))])
      const otherwise = 'Ignore fields that you do not know: a new one is a minor change.'
      await stage.applied([revocation], otherwise)
      await stage.serves(otherwise)
    },
  },
  {
    name: 'a source that falls silent on one partition',
    rule: 4,
    async run(stage) {
      const { feed, patience } = stage
      feed.silence((source, partition) => source === 'clients' && partition === 1)
      const limit = patience.staleAfter + alarmSeconds
      try {
        await stage.alarmed(
          limit,
          `It trusted its memory ${limit} s after clients was heard last on partition 1: a source’s feed is as old as the oldest of its partitions.`,
        )
      } finally {
        feed.silence(() => false)
      }
      await stage.serves('The source is heard again, and nothing was missed: go on.')
    },
  },
  {
    name: 'heartbeats that stop',
    rule: 4,
    async run(stage) {
      const { feed, patience } = stage
      feed.silence(() => true)
      const limit = patience.staleAfter + alarmSeconds
      try {
        await stage.alarmed(
          limit,
          `It trusted its memory ${limit} s after the last heartbeat: whoever hears nothing does not know what was revoked.`,
        )
      } finally {
        feed.silence(() => false)
      }
      await stage.serves('The sources are heard again, and nothing was missed: go on.')
    },
  },
  {
    name: 'a gap',
    rule: 3,
    ends: true,
    async run(stage) {
      const { feed } = stage
      const first: Revocation = { target: targetOn(0), issuedBefore: null }
      await feed.revoke(first)
      await stage.applied([first], 'It was the last before the gap.')
      feed.silence(() => true) // nobody else is to tell of it
      feed.message(feed.logs.revoked({ target: targetOn(0), issuedBefore: null })) // lost
      await feed.revoke({ target: targetOn(0), issuedBefore: null })
      await feed.revoke({ target: targetOn(0), issuedBefore: null })
      feed.silence(() => false)
      await stage.stopped(
        alarmSeconds,
        'It went on after a gap as if nothing were missing: where previous is not the last logseq, stop, and alarm.',
      )
    },
  },
  {
    name: 'a heartbeat that tells of what never came',
    rule: 4,
    ends: true,
    async run(stage) {
      const { feed } = stage
      const first: Revocation = { target: targetOn(2), issuedBefore: null }
      await feed.revoke(first)
      await stage.applied([first], 'It was the last before the gap.')
      feed.message(feed.logs.revoked({ target: targetOn(2), issuedBefore: null })) // lost, and the last
      await stage.stopped(
        alarmSeconds,
        'It went on although a heartbeat told of a number that never came: data.logSeq above the last logseq is a gap.',
      )
    },
  },
]
