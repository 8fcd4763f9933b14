import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * A new client secret: `gls_` (so that secret scanners find a leaked one) and 256 random bits in base64url.
 *
 * @see RFC 6749 §10.10
 */
export function createClientSecret(): string {
  return `gls_${randomBytes(32).toString('base64url')}`
}

/**
 * What is stored of a secret: its SHA-256 in base64url, 43 characters. Enough for secrets of 256 random bits, which nobody can
 * guess; never use it for what a person chose.
 *
 * @see RFC 6749 §10.10
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/**
 * Whether a secret is one of those stored. Compares with every hash, so that time tells neither which one matched nor how much
 * of it.
 *
 * @param hashes of {@link hashSecret}; none matches when empty
 * @see RFC 6749 §2.3.1
 */
export function matchesSecret(secret: string, hashes: readonly string[]): boolean {
  const actual = Buffer.from(hashSecret(secret))
  return hashes
    .map(hash => Buffer.from(hash))
    .map(expected => expected.length === actual.length && timingSafeEqual(expected, actual))
    .includes(true)
}
