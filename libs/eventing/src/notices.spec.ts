import { setTimeout } from 'node:timers/promises'
import { eventually } from '@grantlog/testing'
import { beforeEach, expect, it } from '@jest/globals'
import { Notices } from './notices.js'

let later: string[]
let now: number
let notices: Notices

beforeEach(() => {
  later = []
  now = 0
  notices = new Notices(
    kinds => later.push(kinds),
    () => now,
  )
})

it('a kind is told of at once, with all kinds of the same append', () => {
  expect(notices.with(['issued:family', 'approved:grant'])).toBe('issued:family approved:grant')
})

it('a kind that comes again and again is told of once in ten milliseconds', () => {
  const told: number[] = []
  for (now = 0; now <= 35; now++) if (notices.with(['issued:family']) !== null) told.push(now)
  expect(told).toEqual([0, 10, 20, 30])
  notices.close()
})

it('a kind that comes seldom does not wait for one that comes often, and what is held back is told with it', () => {
  notices.with(['issued:family'])
  expect(notices.with(['issued:family'])).toBeNull()
  expect(notices.with(['revoked:grant'])).toBe('issued:family revoked:grant')
})

it('what was held back is told a moment later though nothing follows, and once', async () => {
  notices.with(['issued:family'])
  notices.with(['issued:family'])
  await eventually(() => expect(later).toEqual(['issued:family']))
  await setTimeout(60)
  expect(later).toHaveLength(1)
})

it('what was told with an append is not told again', async () => {
  notices.with(['issued:family'])
  notices.with(['issued:family'])
  notices.with(['revoked:grant'])
  await setTimeout(60)
  expect(later).toEqual([])
})
