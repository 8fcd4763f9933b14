import { expect, it } from '@jest/globals'
import { Recent } from './recent.js'

const keys = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`)

it('keeps the last, and at most twice as many as it must', () => {
  const recent = new Recent<string>(3)
  for (const key of keys(1, 10)) recent.keep(key, key)
  const kept = keys(1, 10).filter(key => recent.get(key) !== undefined)
  expect(kept).toEqual(expect.arrayContaining(keys(8, 10)))
  expect(kept.length).toBeLessThanOrEqual(6)
})

it('keeps what is asked for', () => {
  const recent = new Recent<string>(3)
  recent.keep('asked', 'for')
  for (const key of keys(1, 100)) {
    recent.keep(key, key)
    expect(recent.get('asked')).toBe('for')
  }
})

it('has the value that was kept last, and none that was forgotten', () => {
  const recent = new Recent<string>(3)
  for (const key of keys(1, 4)) recent.keep(key, 'old')
  recent.keep('1', 'new')
  expect(recent.get('1')).toBe('new')
  recent.forget('1')
  expect(recent.get('1')).toBeUndefined()
  recent.forgetAll()
  expect(keys(1, 4).map(key => recent.get(key))).toEqual([undefined, undefined, undefined, undefined])
})
