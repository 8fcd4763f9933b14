import type { Envelope } from '@grantlog/contracts'
import { eventLine } from '@grantlog/contracts'
import type { Eventing, Subscriber } from '@grantlog/eventing'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { readCursor, writeCursor } from './cursor.js'
import { RevocationFeed } from './revocation-feed.js'

const start = Date.parse('2026-11-26T12:00:00.000Z')

describe('the feed of revocations', () => {
  let now: number
  let feed: RevocationFeed
  let subscriber: Subscriber
  let stopped: boolean
  beforeEach(async () => {
    now = start
    stopped = false
    // what a transport does, by hand
    const eventing = {
      async follow(given: Subscriber) {
        subscriber = given
        return {
          places: [],
          async stop() {
            stopped = true
          },
        }
      },
    } as unknown as Eventing
    const clock = { now: () => new Date(now), seconds: () => Math.floor(now / 1000) }
    feed = new RevocationFeed(eventing, clock as never, () => undefined)
    const open = feed.open()
    await Promise.resolve()
    for (const source of ['clients', 'consent', 'token'] as const) subscriber.alive?.(source, new Date(now))
    await open
  })

  const revocation = (source: 'consent' | 'token', logseq: number, kind = 'grant'): Envelope => ({
    specversion: '1.0',
    id: `0199aa00-0000-7000-8000-${String(logseq).padStart(12, '0')}`,
    type: 'token.revoked.v1',
    source,
    subject: `grant-${logseq}`,
    time: new Date(now).toISOString(),
    datacontenttype: 'application/json',
    dataschema: 'urn:grantlog:event:token.revoked.v1',
    logseq,
    streamversion: 1,
    authtype: 'system',
    authid: 'test',
    data: {
      target: { kind, id: `0199aa00-0000-7000-8000-0000000000f1` },
      issuedBefore: null,
      reason: 'owner-revoked',
      cause: null,
    },
  })
  const deliver = (partition: number, ...events: Envelope[]) =>
    subscriber.deliver({
      topic: 'revocations',
      partition,
      events: events.map(event => ({ event, previous: 0 })),
      nextOffset: null,
    })

  it('gives each reader what comes after its cursor, byte for byte, whatever came between', async () => {
    const [a, b, c] = [revocation('consent', 5), revocation('token', 2), revocation('consent', 9)]
    await deliver(0, a)
    const first = feed.after({})
    expect(first.lines).toEqual([eventLine(a)])
    await deliver(1, b, c)
    const second = feed.after(readCursor(writeCursor(first.cursor)))
    expect(second.lines).toEqual([eventLine(b), eventLine(c)])
    expect(feed.after(second.cursor)).toMatchObject({ lines: [], cursor: second.cursor })
    expect(feed.after({}).lines).toHaveLength(3)
  })

  it('a number that comes late in another partition is not lost behind a greater one', async () => {
    await deliver(0, revocation('consent', 9))
    const { cursor } = feed.after({})
    await deliver(1, revocation('consent', 5))
    expect(feed.after(cursor).lines).toHaveLength(1)
  })

  it('what is delivered again is there once', async () => {
    await deliver(0, revocation('consent', 5))
    await deliver(0, revocation('consent', 5), revocation('consent', 6))
    expect(feed.after({}).lines).toHaveLength(2)
  })

  it('says how far it has heard only to those who got everything', async () => {
    await deliver(0, ...Array.from({ length: 1001 }, (_, n) => revocation('consent', n + 1)))
    const first = feed.after({})
    expect(first).toMatchObject({ lines: { length: 1000 }, heard: undefined })
    expect(feed.after(first.cursor)).toMatchObject({
      lines: { length: 1 },
      heard: { consent: new Date(start).toISOString() },
    })
  })

  it('wakes who waits when something comes', async () => {
    const woken = feed.changed(60_000)
    await deliver(0, revocation('consent', 5))
    await woken
    expect(feed.after({}).lines).toHaveLength(1)
  })

  it('lets a thousand wait; who comes then is to come back in a moment', async () => {
    const waiting = Array.from({ length: 1000 }, () => feed.changed(60_000))
    await expect(feed.changed(60_000)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
      headers: { 'Retry-After': '1' },
    })
    await deliver(0, revocation('consent', 5))
    await Promise.all(waiting)
    const again = feed.changed(60_000)
    await deliver(0, revocation('consent', 6))
    await again
  })

  it('forgets what can be on no token any more, but no key', async () => {
    await deliver(0, revocation('token', 1, 'key'), revocation('token', 2))
    now += 3700_000
    await deliver(0, revocation('token', 3))
    const left = feed.after({}).lines.map(line => (JSON.parse(line) as Envelope).logseq)
    expect(left).toEqual([1, 3])
  })

  it('ends for those who wait, and for the transport, when the service stops', async () => {
    const waiting = feed.changed(60_000)
    await feed.close()
    await waiting
    expect([feed.closed, stopped]).toEqual([true, true])
  })
})

describe('a cursor', () => {
  it.each([
    '',
    'x',
    Buffer.from('{"0/consent":"1"}').toString('base64url'),
    Buffer.from('{"x":1}').toString('base64url'),
  ])('that the feed has not given is refused: %s', text =>
    expect(() => readCursor(text)).toThrow(expect.objectContaining({ code: 'invalid_request' })),
  )
})
