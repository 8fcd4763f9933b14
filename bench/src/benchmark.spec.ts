import { expect, it } from '@jest/globals'
import { figure, median } from './benchmark.js'

const measured = { ours: 1234.5, peer: 1000, peerName: 'a peer' }

it.each([
  [{ atLeast: 1.2 }, true],
  [{ atLeast: 1.3 }, false],
  [{ atMost: 1.3 }, true],
  [{ atMost: 1.2 }, false],
])('a ratio of 1.23 held against %j: %s', (bound, ok) => {
  expect(figure('appends', 'events/s', measured, bound)).toEqual({
    name: 'appends',
    value: 1230,
    unit: 'events/s',
    beside: { name: 'a peer', value: 1000 },
    ratio: 1.23,
    ...bound,
    ok,
  })
})

it('a count beside none of the peer’s has no ratio, and keeps its own bound', () => {
  const none = { ours: 0, peer: 0, peerName: 'a peer' }
  const one = { ours: 1, peer: 0, peerName: 'a peer' }
  expect(figure('races', 'of 20', none, { valueAtMost: 0 })).toEqual({
    name: 'races',
    value: 0,
    unit: 'of 20',
    beside: { name: 'a peer', value: 0 },
    valueAtMost: 0,
    ok: true,
  })
  expect(figure('races', 'of 20', one, { valueAtMost: 0 }).ok).toBe(false)
})

it('the median of rounds is no mean: one slow round does not count', () => {
  expect(median([3, 1000, 1, 2, 4])).toBe(3)
})
