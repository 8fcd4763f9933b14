import { describe, expect, it } from '@jest/globals'
import {
  callsAndEventsAgree,
  logIsDense,
  oneTimeThings,
  streamsMakeSense,
  topicsEqualStores,
} from './checks.js'
import type { Invocation } from './history.js'
import { differences } from './read-models.js'
import type { Message, Store, StoredEvent } from './stores.js'

const call = (more: Partial<Invocation>): Invocation => ({
  trace: 't1',
  operation: 'register',
  instance: 'clients-a',
  began: 0,
  ended: 1,
  outcome: 'ok',
  answer: '201',
  facts: {},
  ...more,
})
const event = (more: Partial<StoredEvent>): StoredEvent => ({
  source: 'clients',
  logSeq: 1,
  streamId: 'client-a',
  streamVersion: 1,
  type: 'client.registered',
  data: { clientId: 'a', name: 'marker' },
  internal: null,
  trace: 't1',
  ...more,
})
const second = event({
  logSeq: 2,
  streamVersion: 2,
  type: 'client.updated',
  data: { clientId: 'a', name: 'second' },
  trace: 't2',
})
const storeOf = (events: StoredEvent[], more: Partial<Store> = {}): Store => ({
  source: events[0]?.source ?? 'clients',
  events,
  lastSeq: events.length,
  versions: new Map(
    [...Map.groupBy(events, ({ streamId }) => streamId)].map(([id, own]) => [id, own.length]),
  ),
  lines: events.map(({ logSeq }) => `line ${logSeq}`),
  ...more,
})
const found = (...findings: string[]) => findings.map(finding => expect.stringContaining(finding))

describe('calls and events', () => {
  const registered = call({ facts: { marker: 'marker' } })
  const updated = call({ operation: 'update', trace: 't2', facts: { marker: 'second' } })
  const agree = (calls: Invocation[], events: StoredEvent[]) =>
    callsAndEventsAgree(calls, [storeOf(events)], { clients: 0 })

  it('agree when each call has its events', () => {
    expect(agree([registered, updated], [event({}), second])).toEqual([])
  })

  it.each<[string, Invocation[], StoredEvent[], string]>([
    [
      'an acknowledged event that is lost',
      [registered, updated],
      [event({})],
      'update t2 (ok: 201) stored “”',
    ],
    [
      'an acknowledged event that is there twice',
      [registered],
      [event({}), event({ logSeq: 2, streamId: 'client-b' })],
      'stored “client.registered client.registered”',
    ],
    [
      'another event than was acknowledged',
      [registered],
      [event({ data: { name: 'other' } })],
      'marker marker, and no event',
    ],
    [
      'an event of a call that was refused',
      [call({ outcome: 'failed', answer: '409' })],
      [event({})],
      'stored “client.registered” instead of “”',
    ],
    [
      'half of the events of a call without an answer',
      [call({ operation: 'suspend', outcome: 'unknown', answer: 'ECONNRESET' })],
      [event({ type: 'client.suspended' })],
      'stored “client.suspended”',
    ],
    ['an event that nobody asked for', [registered], [event({}), second], 'nobody had asked for it'],
    [
      'a refused redemption that issued a token',
      [call({ operation: 'redeem', outcome: 'failed' })],
      [event({ type: 'token.issued' })],
      'stored “token.issued”',
    ],
    [
      'another successor than was answered',
      [call({ operation: 'refresh', facts: { presented: 'p', next: 'n' } })],
      [event({ type: 'token.issued', data: { refresh: { generation: 1 } }, internal: { refreshHash: 'm' } })],
      'next n, and no event',
    ],
  ])('disagree: %s', (_, calls, events, finding) => {
    expect(agree(calls, events)).toEqual(found(finding))
  })

  it.each<[string, Invocation, StoredEvent[]]>([
    ['nothing', call({ outcome: 'unknown' }), []],
    ['everything', call({ outcome: 'unknown' }), [event({})]],
    [
      'a replay, which is remembered',
      call({ operation: 'redeem', outcome: 'failed' }),
      [event({ type: 'code.replayed' }), event({ type: 'token.revoked' })],
    ],
    [
      'nothing of the successor that was answered once more',
      call({ operation: 'refresh', facts: { presented: 'p', next: 'n' } }),
      [event({ type: 'token.issued' })],
    ],
  ])('may have left %s', (_, invocation, events) => {
    expect(agree([invocation], events)).toEqual([])
  })
})

describe('one-time things', () => {
  const redeemed = call({ operation: 'redeem', facts: { code: 'c' } })
  it('are good once', () => {
    const refused = call({ operation: 'redeem', facts: { code: 'c' }, outcome: 'failed' })
    expect(oneTimeThings([redeemed, refused])).toEqual([])
  })
  it('two successes of one code are found', () => {
    const twice = ['token-a', 'token-b'].map(instance =>
      call({ operation: 'redeem', facts: { code: 'same' }, instance }),
    )
    expect(oneTimeThings(twice)).toEqual(found('same was good 2 times (token-a t1, token-b t1)'))
  })
  it('two successors of one refresh token are found, and the same one twice is none', () => {
    const refreshed = (instance: string, next: string) =>
      call({ operation: 'refresh', facts: { presented: 'same', next }, instance })
    expect(oneTimeThings([refreshed('token-a', 'n'), refreshed('token-b', 'n')])).toEqual([])
    expect(oneTimeThings([refreshed('token-a', 'n'), refreshed('token-b', 'm')])).toEqual(
      found('same has 2 successors (token-a t1, token-b t1)'),
    )
  })
})

describe('streams', () => {
  const revoked = event({ source: 'token', type: 'token.revoked', streamId: 'family-f' })
  const revoke = call({ operation: 'revoke', facts: { familyId: 'f' } })
  const ofToken = (...events: StoredEvent[]) => streamsMakeSense([revoke], [storeOf(events)])

  it('make sense when what was revoked is', () => {
    expect(ofToken(revoked)).toEqual([])
  })
  it('an acknowledged revocation that is nowhere is found', () => {
    expect(ofToken()).toEqual(found('revoke t1 was acknowledged, and nothing is revoked'))
  })
  it.each<[string, StoredEvent]>([
    ['token.revoked in family-f is there 2 times', revoked],
    [
      'code.redeemed in family-f is there 2 times',
      event({ source: 'token', type: 'code.redeemed', streamId: 'family-f' }),
    ],
    ['client.deleted in client-a is there 2 times', event({ type: 'client.deleted' })],
    ['token.issued of j is there 2 times', event({ type: 'token.issued', data: { tokenId: 'j' } })],
  ])('%s', (finding, twice) => {
    const events = [revoked, twice, ...(twice === revoked ? [] : [twice])]
    expect(ofToken(...events)).toEqual(found(finding))
  })
  it('a generation of refresh tokens that is there twice is found', () => {
    const rotation = (tokenId: string, generation: number) =>
      event({ type: 'token.issued', data: { tokenId, refresh: { generation } } })
    expect(ofToken(revoked, rotation('a', 1), rotation('b', 2))).toEqual([])
    expect(ofToken(revoked, rotation('a', 1), rotation('b', 1))).toEqual(
      found('the rotation 1 in client-a is there 2 times'),
    )
  })
})

describe('a log', () => {
  const whole = [event({}), second]
  it('is dense', () => {
    expect(logIsDense(storeOf(whole))).toEqual([])
  })
  it.each<[string, Store, string[]]>([
    [
      'a gap in the numbers',
      storeOf([event({}), { ...second, logSeq: 3 }]),
      ['where 2 must be, the log has 3'],
    ],
    [
      'a number that is given twice',
      storeOf([event({}), { ...second, logSeq: 1 }]),
      ['where 2 must be, the log has 1'],
    ],
    ['an end that is behind', storeOf(whole, { lastSeq: 1 }), ['the log ends at 1, of 2']],
    [
      'a gap in a stream',
      storeOf([event({}), { ...second, streamVersion: 3 }]),
      ['client-a has the versions 1,3'],
    ],
    [
      'a stream’s row that is ahead',
      storeOf(whole, { versions: new Map([['client-a', 3]]) }),
      ['says version 3 of 2'],
    ],
    [
      'a stream without events',
      storeOf(whole, {
        versions: new Map([
          ['client-a', 2],
          ['client-b', 1],
        ]),
      }),
      ['client-b says version 1 of 0'],
    ],
  ])('is not: %s', (_, store, findings) => {
    expect(logIsDense(store)).toEqual(found(...findings))
  })
})

describe('topics', () => {
  const store = storeOf([event({}), second])
  const message = (logSeq: number, more: Partial<Message> = {}): Message => ({
    place: 'clients:0',
    source: 'clients',
    logSeq,
    previous: logSeq - 1,
    line: `line ${logSeq}`,
    ...more,
  })
  it('equal the stores, also where an older event comes again', () => {
    expect(topicsEqualStores([message(1), message(2), message(1), message(2)], [store])).toEqual([])
  })
  it.each<[string, Message[], string]>([
    ['an event that was not published', [message(1)], 'event 2 was not published'],
    ['a broken link', [message(1), message(2, { previous: 0 })], 'event 2 follows 0, after 1'],
    ['other bytes', [message(1), message(2, { line: 'other' })], 'event 2 is not what is stored: other'],
    [
      'other bytes the second time',
      [message(1), message(2), message(1, { line: 'other' })],
      'event 1 is not what is stored',
    ],
    ['an event that is not stored', [message(1), message(2), message(3)], 'event 3 is not what is stored'],
  ])('do not: %s', (_, messages, finding) => {
    expect(topicsEqualStores(messages, [store])).toEqual(found(finding))
  })
  it('do not: two events in the wrong order', () => {
    expect(topicsEqualStores([message(2), message(1)], [store])).toEqual(found('event 2 follows 1, after 0'))
  })
})

describe('a read model', () => {
  const model = { name: 'clients.clients.v1', key: 'id' }
  const rows = [{ row: { id: 'a', name: 'A' } }, { row: { name: 'B', id: 'b' } }]
  it('equals its replay, in any order', () => {
    expect(differences(model, rows, rows.toReversed())).toEqual([])
  })
  it.each<[string, { row: object }[], string]>([
    [
      'a row that differs',
      [{ row: { id: 'a', name: 'X' } }, ...rows.slice(1)],
      '{"id":"a","name":"X"} instead of {"id":"a","name":"A"}',
    ],
    ['a row that is missing', rows.slice(1), 'a: no row instead of'],
    ['a row too many', [...rows, { row: { id: 'c' } }], 'c: {"id":"c"} instead of no row'],
  ])('does not: %s', (_, actual, finding) => {
    expect(differences(model, rows, actual)).toEqual(found(finding))
  })
})
