import { constants, type KeyObject, sign } from 'node:crypto'
import { assertKeyFor, type SigningAlgorithm } from './jwk.js'

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
 * Signs an access token: a JWT of type `at+jwt`. Synchronous, for the hot path.
 *
 * @param key.privateKey one for the algorithm
 * @throws TypeError when it is none
 * @see RFC 9068 §2.1, RFC 7515 §5.1
 */
export function signAccessToken(
  claims: AccessTokenClaims,
  key: { kid: string; algorithm: SigningAlgorithm; privateKey: KeyObject },
): string {
  assertKeyFor(key.algorithm, key.privateKey)
  // RFC 9068 §2.1: "MUST include this media type in the "typ" header parameter"; MUST NOT be unsigned.
  const header = encode({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid })
  const signingInput = `${header}.${encode(claims)}`
  const signature = signWith(key.algorithm, Buffer.from(signingInput), key.privateKey)
  return `${signingInput}.${signature.toString('base64url')}`
}

function signWith(algorithm: SigningAlgorithm, input: Buffer, key: KeyObject): Buffer {
  switch (algorithm) {
    case 'ES256': // RFC 7518 §3.4: R and S as 32 octets each, not DER
      return sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })
    case 'EdDSA': // RFC 8037 §3.1: the curve brings its own hash
      return sign(null, input, key)
    case 'PS256': // RFC 7518 §3.5: the salt is as long as the hash
      return sign('sha256', input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
    case 'RS256': // RFC 7518 §3.3
      return sign('sha256', input, key)
  }
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
