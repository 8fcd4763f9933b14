import { type KeyObject, sign } from 'node:crypto'
import type { AuthorizationDetail } from './authorization-details.js'

/**
 * The claims of an access token: those of RFC 9068 and, beside `jti`, `sub` and `client_id`, every other name by which a token
 * can be revoked. Times are seconds since the epoch.
 *
 * @see RFC 9068 §2.2
 */
export type AccessTokenClaims = {
  iss: string
  sub: string
  aud: string | readonly string[]
  client_id: string
  iat: number
  exp: number
  jti: string
  /** Space-delimited. @see RFC 9068 §2.2.3 */
  scope: string
  /** @see RFC 9396 §9.1 */
  authorization_details?: readonly AuthorizationDetail[] | undefined
  /** The token family: all tokens of one authorization code. */
  family?: string | undefined
  /** The resource owner's standing permission. */
  grant?: string | undefined
  /** The organization whose resources the token reaches. */
  organization?: string | undefined
  /** @see RFC 9068 §2.2.1 */
  auth_time?: number | undefined
  /** @see RFC 9068 §2.2.1 */
  acr?: string | undefined
  /** What whoever sends the token must prove to hold. */
  cnf?: Confirmation | undefined
  /** Who acts for the subject. @see RFC 8693 §4.1 */
  act?: ActClaim | undefined
  /** The tokens that this one was made of, the oldest first: where one of them is revoked, so is this one. */
  lineage?: readonly LineageClaim[] | undefined
}

/** The current actor, and within it those before, who are told for information only. @see RFC 8693 §4.1 */
export type ActClaim = { sub: string; act?: ActClaim | undefined }

/** A token that was exchanged for another, by every name by which it can be revoked. */
export type LineageClaim = Pick<
  AccessTokenClaims,
  'jti' | 'sub' | 'client_id' | 'iat' | 'family' | 'grant' | 'organization'
> & {
  /** The key that signed it. */
  kid: string
}

/** A key that a token is bound to, by its thumbprint. @see RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1 */
export type Confirmation = { jkt: string } | { 'x5t#S256': string }

/**
 * Signs an access token: a JWT of type `at+jwt` with ES256. Synchronous, for the hot path.
 *
 * @param key.privateKey on curve P-256
 * @throws TypeError when the key is not on P-256
 * @see RFC 9068 §2.1, RFC 7515 §5.1, RFC 7518 §3.4
 */
export function signAccessToken(
  claims: AccessTokenClaims,
  key: { kid: string; privateKey: KeyObject },
): string {
  // RFC 9068 §2.1: "MUST include this media type in the "typ" header parameter"; MUST NOT be unsigned.
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
  const signingInput = `${header}.${encode(claims)}`
  // RFC 7518 §3.4: R and S as 32 octets each, not DER.
  const signature = sign('sha256', Buffer.from(signingInput), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  if (signature.length !== 64) throw new TypeError('ES256 needs a private key on curve P-256.')
  return `${signingInput}.${signature.toString('base64url')}`
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
