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
}

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
