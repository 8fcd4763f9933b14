import { createHmac } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { createClientSecret, hashSecret, matchesSecret, parseSecretKeys } from './client-secret.js'
import { HmacKey } from './hmac-key.js'

const keyOf = (byte: number) => new HmacKey(Buffer.alloc(32, byte))
const [one, other, foreign] = [keyOf(1), keyOf(2), keyOf(3)]
const hash = (secret: string) => hashSecret(secret, [one])

describe('client secrets', () => {
  test('have a prefix and 256 random bits (RFC 6749 §10.10)', () => {
    const secrets = Array.from({ length: 100 }, createClientSecret)
    for (const secret of secrets) expect(secret).toMatch(/^gls_[A-Za-z0-9_-]{43}$/)
    expect(new Set(secrets).size).toBe(100)
  })

  test('are stored as HMAC-SHA-256 in base64url, with the first key', () => {
    const expected = createHmac('sha256', Buffer.alloc(32, 1)).update('abc').digest('base64url')
    expect(hashSecret('abc', [one, other])).toBe(expected)
    expect(hashSecret('abc', [other])).not.toBe(expected)
  })

  test.each([
    ['the only one', [hash('right')], true],
    ['the first', [hash('right'), hash('old')], true],
    ['the last', [hash('old'), hash('right')], true],
    ['none of them', [hash('old'), hash('older')], false],
    ['none at all', [], false],
    ['a stored text that is no hash', ['', 'right'], false],
    ['one that was hashed with an older key', [hashSecret('right', [other])], true],
    ['one that was hashed with another key', [hashSecret('right', [foreign])], false],
    ['beside a stored text that is no hash', ['', hash('right')], true],
  ])('match %s (RFC 6749 §2.3.1)', (_, hashes, matches) => {
    expect(matchesSecret('right', hashes, [one, other])).toBe(matches)
  })

  test('have keys that are read from a text, and never shown', () => {
    const [first, second] = [1, 2].map(byte => Buffer.alloc(32, byte).toString('base64url'))
    const keys = parseSecretKeys(`${first},${second}`)
    expect(keys.map(key => key.of('abc'))).toEqual([one, other].map(key => key.of('abc')))
    for (const wrong of ['', 'short', `${first},`, `${first}x`])
      expect(() => parseSecretKeys(wrong)).toThrow(
        /^A key must be 32 bytes in base64url: 43 characters without padding.$/,
      )
  })
})
