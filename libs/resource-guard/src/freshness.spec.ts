import { describe, expect, it } from '@jest/globals'
import { Freshness } from './freshness.js'

const at = (second: number) => new Date(second * 1000)

describe('how fresh the revocations are', () => {
  it('is unknown until every source was heard', () => {
    const freshness = new Freshness(['clients', 'consent', 'token'])
    freshness.alive('clients', at(100))
    freshness.alive('token', at(100))
    expect(freshness.stalenessSeconds(at(100))).toBe(Number.POSITIVE_INFINITY)
    expect(freshness.complete).toBe(false)
    expect(freshness.report(at(101))).toEqual({ clients: 1, consent: null, token: 1 })
    expect(freshness.completeUntil()).toBeUndefined()
    freshness.alive('consent', at(100))
    expect(freshness.complete).toBe(true)
    expect(freshness.stalenessSeconds(at(101))).toBe(1)
  })

  it('is that of the source that was heard longest ago', () => {
    const freshness = new Freshness(['clients', 'token'])
    freshness.alive('clients', at(100))
    freshness.alive('token', at(160))
    expect(freshness.stalenessSeconds(at(162.5))).toBe(62.5)
    expect(freshness.report(at(162.5))).toEqual({ clients: 62.5, token: 2.5 })
    expect(freshness.completeUntil()).toEqual({ clients: at(100), token: at(160) })
  })

  it('never gets older by what is heard late', () => {
    const freshness = new Freshness(['token'])
    freshness.alive('token', at(100))
    freshness.alive('token', at(90))
    expect(freshness.stalenessSeconds(at(100))).toBe(0)
  })

  it('is no less than zero where the source’s clock is ahead', () => {
    const freshness = new Freshness(['token'])
    freshness.alive('token', at(110))
    expect(freshness.stalenessSeconds(at(100))).toBe(0)
    expect(freshness.report(at(100))).toEqual({ token: 0 })
  })

  it('does not count a source that can not revoke', () => {
    const freshness = new Freshness(['token'])
    freshness.alive('somebody', at(100))
    expect(freshness.complete).toBe(false)
    expect(freshness.report(at(100))).toEqual({ token: null })
  })

  it('is perfect where there is nobody to hear', () => {
    expect(new Freshness([]).stalenessSeconds(at(100))).toBe(0)
  })
})
