import { expect, it } from '@jest/globals'
import { timeOrderedId } from './time-ordered-id.js'

it('is a UUID of version 7 (RFC 9562 §5.7) that begins with the time, and is another one each time', () => {
  const before = Date.now()
  const ids = Array.from({ length: 1000 }, timeOrderedId)
  const after = Date.now()
  expect(new Set(ids).size).toBe(1000)
  for (const id of ids) {
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    expect(time).toBeGreaterThanOrEqual(before)
    expect(time).toBeLessThanOrEqual(after)
  }
})

it('has 74 random bits', () => {
  const ids = Array.from({ length: 1000 }, () => timeOrderedId().replaceAll('-', ''))
  const seen = Array.from({ length: 32 }, (_, at) => new Set(ids.map(id => id[at])).size)
  expect(seen.slice(13)).toEqual([16, 16, 16, 4, ...new Array(15).fill(16)])
})
