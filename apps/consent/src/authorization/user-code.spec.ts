import { describe, expect, it } from '@jest/globals'
import { newUserCode, readUserCode } from './user-code.js'

describe('user codes (RFC 8628 §6.1)', () => {
  it('are eight consonants in two halves, another one each time', () => {
    const codes = Array.from({ length: 200 }, newUserCode)
    for (const code of codes) expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    expect(new Set(codes).size).toBe(codes.length)
  })

  it('use the whole alphabet', () => {
    const seen = new Set(Array.from({ length: 200 }, newUserCode).join(''))
    expect([...seen].toSorted().join('')).toBe('-BCDFGHJKLMNPQRSTVWXZ')
  })

  it.each(['WDJB-MJHT', 'wdjbmjht', ' WDJB MJHT ', 'w.d.j.b—mjht', 'WDJB-MJHT\n'])(
    'are read from “%s”',
    typed => {
      expect(readUserCode(typed)).toBe('WDJB-MJHT')
    },
  )

  it.each([
    ['nothing', ''],
    ['seven letters', 'WDJBMJH'],
    ['nine letters', 'WDJBMJHTX'],
    ['a vowel', 'WDJAMJHT'],
    ['a digit', 'WDJBMJH0'],
    ['letters of another script', 'ШDJBMJHT'],
  ])('are not %s', (_, typed) => {
    expect(readUserCode(typed)).toBeUndefined()
  })

  it('are read again as they were made', () => {
    for (const code of Array.from({ length: 50 }, newUserCode)) expect(readUserCode(code)).toBe(code)
  })
})
