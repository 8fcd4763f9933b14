import { randomBytes, timingSafeEqual } from 'node:crypto'
import { HmacKey } from './hmac-key.js'

/** The keys that secrets are hashed with: the first one hashes, all are tried. Shared by whoever makes and whoever checks secrets. */
export type SecretKeys = readonly [HmacKey, ...HmacKey[]]

/**
 * The keys of a text: 32 bytes in base64url each, separated by commas.
 *
 * @throws Error that shows none of it
 */
export function parseSecretKeys(text: string): SecretKeys {
  const [first, ...others] = text.split(',').map(encoded => {
    // RFC 4648 §5, §3.5: canonical base64url without padding
    if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(encoded))
      throw new Error('A key must be 32 bytes in base64url: 43 characters without padding.')
    return new HmacKey(Buffer.from(encoded, 'base64url'))
  })
  return [first as HmacKey, ...others] // a text has a first part
}

/**
 * A new client secret: `gls_` (so that secret scanners find a leaked one) and 256 random bits in base64url.
 *
 * @see RFC 6749 §10.10
 */
export function createClientSecret(): string {
  return `gls_${randomBytes(32).toString('base64url')}`
}

/**
 * What is stored of a secret: its HMAC-SHA-256 in base64url, 43 characters. Fast, and enough for secrets of 256 random bits, which
 * nobody can guess; never use it for what a person chose. Without the key nobody can make one for a secret of his own.
 *
 * @see RFC 6749 §10.10
 */
export function hashSecret(secret: string, [key]: SecretKeys): string {
  return key.of(secret)
}

/**
 * Whether a secret is one of those stored. Compares with every hash, so that time tells neither which one matched nor how much
 * of it.
 *
 * @param hashes of {@link hashSecret}; none matches when empty
 * @see RFC 6749 §2.3.1
 */
export function matchesSecret(secret: string, hashes: readonly string[], keys: SecretKeys): boolean {
  const stored = hashes.map(hash => Buffer.from(hash))
  return keys
    .map(key => Buffer.from(key.of(secret)))
    .flatMap(actual =>
      stored.map(expected => expected.length === actual.length && timingSafeEqual(expected, actual)),
    )
    .includes(true)
}
