import { describe, expect, it, test } from '@jest/globals'
import fc from 'fast-check'
import { Buckets } from './buckets.js'

describe('a token bucket', () => {
  test.each([
    { name: 'holds so many at once', every: 1, atOnce: 3, at: [0, 0, 0, 0], waits: [0, 0, 0, 1] },
    { name: 'fills again, one by one', every: 2, atOnce: 2, at: [0, 0, 1, 2, 2], waits: [0, 0, 1, 0, 2] },
    { name: 'never holds more', every: 1, atOnce: 2, at: [0, 1000, 1000, 1000], waits: [0, 0, 0, 1] },
    { name: 'a refusal takes nothing', every: 1, atOnce: 1, at: [0, 0.5, 0.9, 1], waits: [0, 0.5, 0.1, 0] },
    { name: 'that fills at once is never empty', every: 0, atOnce: 0, at: [5, 5, 5, 5], waits: [0, 0, 0, 0] },
    { name: 'holds at least one', every: 1, atOnce: 0, at: [0, 0], waits: [0, 1] },
  ])('$name', ({ every, atOnce, at, waits }) => {
    const buckets = new Buckets(every, atOnce)
    const got = at.map(now => buckets.take('a', now))
    expect(got.map(wait => Math.round(wait * 1e6) / 1e6)).toEqual(waits)
  })

  it('is asked without taking any', () => {
    const buckets = new Buckets(1, 1)
    expect([buckets.wait('a', 0), buckets.wait('a', 0)]).toEqual([0, 0])
    buckets.take('a', 0)
    expect(buckets.wait('a', 0.25)).toBe(0.75)
  })

  it('holds again what was put back', () => {
    const buckets = new Buckets(1, 2)
    buckets.take('a', 0)
    buckets.take('a', 0)
    buckets.giveBack('a')
    expect([buckets.take('a', 0), buckets.take('a', 0)]).toEqual([0, 1])
  })

  it('lets through what its rate and size allow, whenever it is asked, and no more', () => {
    const pauses = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 100 })
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 5 }), (gaps, atOnce) => {
        const buckets = new Buckets(1, atOnce)
        let now = 0
        let tokens = atOnce // the textbook’s bucket
        for (const gap of gaps) {
          now += gap
          tokens = Math.min(atOnce, tokens + gap)
          const close = Math.abs(tokens - 1) < 1e-9 // where rounding decides
          const taken = buckets.take('a', now) === 0
          if (!close) expect(taken).toBe(tokens >= 1)
          if (taken) tokens -= 1
        }
      }),
    )
  })
})

describe('the buckets of many', () => {
  it('are apart: what floods others is not counted against a newcomer', () => {
    const buckets = new Buckets(1, 10, 1)
    for (let n = 0; n < 1000; n++) for (let times = 0; times < 20; times++) buckets.take(`10.0.0.${n}`, 0)
    const held = Array.from({ length: 1000 }, (_, n) => buckets.wait(`192.0.2.${n}`, 0)).filter(
      wait => wait > 0,
    )
    expect(held).toEqual([])
  })

  it('are never forgotten, however many others come', () => {
    const buckets = new Buckets(60, 5, 2)
    for (let times = 0; times < 5; times++) buckets.take('attacker', 0)
    for (let n = 0; n < 200_000; n++) buckets.take(`2001:db8:${n.toString(16)}::/64`, 1)
    expect(buckets.take('attacker', 2)).toBeGreaterThan(50)
  })

  it('are chosen by the seed: whom one process confuses, another one does not', () => {
    const confusedWith = (seed: number) => {
      const buckets = new Buckets(1, 1, seed)
      for (let n = 0; n < 12_000; n++) buckets.take(`attacker ${n}`, 0)
      return Array.from({ length: 300 }, (_, n) => buckets.wait(`honest ${n}`, 0) > 0)
    }
    const [one, other] = [confusedWith(3), confusedWith(4)]
    expect(one).toContain(true)
    expect(one).not.toEqual(other)
  })
})
