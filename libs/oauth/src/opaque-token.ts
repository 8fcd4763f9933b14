import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import type { AccessTokenClaims } from './access-token.js'

/** A key that seals opaque access tokens. */
export interface OpaqueTokenKey {
  /** What events call it; it is not in the token. */
  readonly kid: string
  /** 32 random bytes. */
  readonly key: KeyObject
}

/** What every opaque access token begins with, so that scanners for leaked secrets know one: `gla_[A-Za-z0-9_-]{200,}`. */
export const opaqueTokenPrefix = 'gla_'

const saltLength = 16
const tagLength = 16

/**
 * Seals the claims of an access token: only who has the key can read or make one. Synchronous, for the hot path.
 *
 * Each token has a key and a nonce of its own, derived from a random salt as in RFC 8188 §2.2 and §2.3: no nonce can come twice,
 * however many tokens are sealed.
 *
 * @see RFC 6749 §1.4: a token "may … self-contain the authorization information in a verifiable manner"; NIST SP 800-38D
 */
export function sealAccessToken(claims: AccessTokenClaims, { key }: OpaqueTokenKey): string {
  const salt = randomBytes(saltLength)
  const cipher = createCipheriv('aes-256-gcm', ...ofToken(key, salt))
  const sealed = [cipher.update(JSON.stringify(claims), 'utf8'), cipher.final(), cipher.getAuthTag()]
  return opaqueTokenPrefix + Buffer.concat([salt, ...sealed]).toString('base64url')
}

/**
 * The claims of an opaque access token that was sealed with one of the keys, or undefined for any other text. Whether they still hold
 * is the caller's to judge.
 */
export function openOpaqueToken(
  token: string,
  keys: readonly OpaqueTokenKey[],
): { claims: unknown; kid: string } | undefined {
  if (!isOpaqueToken(token)) return undefined
  const text = token.slice(opaqueTokenPrefix.length)
  const bytes = Buffer.from(text, 'base64url')
  // there is one way to write a token
  if (bytes.toString('base64url') !== text || bytes.length <= saltLength + tagLength) return undefined
  for (const { kid, key } of keys) {
    const opened = open(bytes, key)
    if (opened !== undefined) return { claims: JSON.parse(opened), kid }
  }
  return undefined
}

/** Whether the text claims to be an opaque access token of ours. */
export function isOpaqueToken(token: string): boolean {
  return token.startsWith(opaqueTokenPrefix)
}

function open(bytes: Buffer, key: KeyObject): string | undefined {
  const salt = bytes.subarray(0, saltLength)
  const decipher = createDecipheriv('aes-256-gcm', ...ofToken(key, salt), { authTagLength: tagLength })
  decipher.setAuthTag(bytes.subarray(-tagLength))
  try {
    const text = decipher.update(bytes.subarray(saltLength, -tagLength))
    return Buffer.concat([text, decipher.final()]).toString()
  } catch {
    return undefined // sealed with another key, or changed
  }
}

/** The key and the nonce of one token. */
function ofToken(key: KeyObject, salt: Buffer): [key: Buffer, nonce: Buffer] {
  const bytes = Buffer.from(hkdfSync('sha256', key, salt, 'grantlog opaque token', 44))
  return [bytes.subarray(0, 32), bytes.subarray(32)]
}
