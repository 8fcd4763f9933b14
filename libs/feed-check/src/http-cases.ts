import { services } from '@grantlog/contracts'
import type { Case } from './case.js'
import { commonCases } from './common-cases.js'
import { grown, ofUnknownType, type Revocation, targetOn } from './feed.js'
import type { HttpFeed } from './http-feed.js'
import { alarmSeconds, type Stage } from './stage.js'

/** What may happen on the feed over HTTP, and what a consumer has to do. */
export const httpCases: readonly Case<HttpFeed>[] = [
  ...commonCases,
  {
    name: 'more than one answer holds',
    rule: 0,
    async run(stage) {
      const { feed } = stage
      feed.pageSize = 2
      try {
        const revocations = some(7)
        await feed.revoke(...revocations)
        await stage.applied(revocations, 'Where an answer says more, ask again at once, after its cursor.')
      } finally {
        feed.pageSize = 1000
      }
    },
  },
  {
    name: 'an event type that it does not know',
    rule: 5,
    async run(stage) {
      const { feed } = stage
      const unknown = feed.logs.revoked({ target: targetOn(0), issuedBefore: null })
      feed.publish(ofUnknownType(unknown))
      await goesOn(stage, 'Ignore event types that you do not know.')
    },
  },
  {
    name: 'fields that it does not know',
    rule: 5,
    async run(stage) {
      const { feed } = stage
      const revocation: Revocation = { target: targetOn(1), issuedBefore: null }
      feed.publish(grown(feed.logs.revoked(revocation)))
      await stage.applied([revocation], 'Ignore fields that you do not know: a new one is a minor change.')
    },
  },
  {
    name: 'a connection that is cut off, and a server that is busy',
    rule: 4,
    async run(stage) {
      const { feed } = stage
      feed.refuse(503)
      const meanwhile = some(3)
      await feed.revoke(...meanwhile)
      await pause(1500)
      feed.refuse(undefined)
      const otherwise = 'Come back after a moment, with the last cursor: nothing is missed.'
      await stage.applied(meanwhile, otherwise)
      await stage.serves(otherwise)
    },
  },
  {
    name: 'a token that has ended',
    rule: 4,
    async run(stage) {
      const { feed } = stage
      await feed.renewToken()
      await goesOn(
        stage,
        'The token ends before the feed does: get another one, and go on after the last cursor.',
      )
    },
  },
  {
    name: 'a source that falls silent',
    rule: 4,
    async run(stage) {
      await trustsNotFor(stage, () => stage.feed.silence('clients'), 'clients was heard last')
    },
  },
  {
    name: 'a feed that hears of nobody',
    rule: 4,
    async run(stage) {
      await trustsNotFor(stage, () => stage.feed.silence(...services), 'anybody was heard last')
    },
  },
  {
    name: 'a server that is gone',
    rule: 4,
    async run(stage) {
      await trustsNotFor(stage, () => stage.feed.refuse(503), 'the last answer')
    },
  },
]

const some = (count: number): Revocation[] =>
  Array.from({ length: count }, (_, index) => ({ target: targetOn(index % 3), issuedBefore: null }))

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

async function goesOn(stage: Stage<HttpFeed>, otherwise: string): Promise<void> {
  const next = some(1)
  await stage.feed.revoke(...next)
  await stage.applied(next, otherwise)
  await stage.serves(otherwise)
}

/** It becomes stale while it can not know, and serves again once it can. */
async function trustsNotFor(stage: Stage<HttpFeed>, begin: () => void, since: string): Promise<void> {
  const { feed, patience } = stage
  const limit = patience.staleAfter + alarmSeconds
  begin()
  try {
    await stage.alarmed(
      limit,
      `It trusted its memory ${limit} s after ${since}: the feed is as old as the oldest time in heard.`,
    )
  } finally {
    feed.silence()
    feed.refuse(undefined)
  }
  await stage.serves('All sources are heard again, and nothing was missed: go on.')
}
