import { describe, expect, it } from '@jest/globals'
import { canonicalJson } from './canonical-json.js'
import { parseEventLine } from './envelope.js'
import { heartbeat, heartbeatLine } from './heartbeat.js'

const beat = {
  specversion: '1.0',
  id: 'token-2026-01-01T00:00:00.123Z',
  type: 'feed.heartbeat.v1',
  source: 'token',
  time: '2026-01-01T00:00:00.123Z',
  datacontenttype: 'application/json',
  data: { logSeq: 7, time: '2026-01-01T00:00:00.123Z' },
} as const

describe('a heartbeat', () => {
  it('names the last number and the clock of its source, as one canonical line', () => {
    const line = heartbeatLine('token', 7, new Date('2026-01-01T00:00:00.123Z'))
    expect(line).toBe(canonicalJson(beat))
    expect(heartbeat.parse(JSON.parse(line))).toEqual(beat)
  })

  it('may come before the first event', () => {
    expect(heartbeat.safeParse({ ...beat, data: { ...beat.data, logSeq: 0 } }).success).toBe(true)
  })

  it('is no event of the log', () => {
    expect(() => parseEventLine(canonicalJson(beat))).toThrow()
  })

  it.each([
    ['another type', { type: 'feed.heartbeat.v2' }],
    ['an unknown source', { source: 'audit' }],
    ['a number below zero', { data: { ...beat.data, logSeq: -1 } }],
    ['no clock', { data: { logSeq: 7 } }],
    ['a clock without milliseconds', { data: { ...beat.data, time: '2026-01-01T00:00:00Z' } }],
  ])('is refused with %s', (_, wrong) => {
    expect(heartbeat.safeParse({ ...beat, ...wrong }).success).toBe(false)
  })
})
