import { describe, expect, test } from '@jest/globals'
import { createClientSecret, hashSecret, matchesSecret } from './client-secret.js'

describe('client secrets', () => {
  test('have a prefix and 256 random bits (RFC 6749 §10.10)', () => {
    const secrets = Array.from({ length: 100 }, createClientSecret)
    for (const secret of secrets) expect(secret).toMatch(/^gls_[A-Za-z0-9_-]{43}$/)
    expect(new Set(secrets).size).toBe(100)
  })

  test('are stored as SHA-256 in base64url: "abc" of FIPS 180-4', () => {
    expect(hashSecret('abc')).toBe(
      Buffer.from('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'hex').toString(
        'base64url',
      ),
    )
  })

  test.each([
    ['the only one', [hashSecret('right')], true],
    ['the first', [hashSecret('right'), hashSecret('old')], true],
    ['the last', [hashSecret('old'), hashSecret('right')], true],
    ['none of them', [hashSecret('old'), hashSecret('older')], false],
    ['none at all', [], false],
    ['a stored text that is no hash', ['', 'right'], false],
    ['beside a stored text that is no hash', ['', hashSecret('right')], true],
  ])('match %s (RFC 6749 §2.3.1)', (_, hashes, matches) => {
    expect(matchesSecret('right', hashes)).toBe(matches)
  })
})
