import { constants, type KeyObject, sign, verify } from 'node:crypto'
import type { AuthorizationDetail } from './authorization-details.js'
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
  // RFC 9068 §2.1: "MUST include this media type in the "typ" header parameter"; MUST NOT be unsigned.
  return signJwt(claims, type, key)
}

/**
 * Signs a JWT of a type, which nothing takes for one of another.
 *
 * @param key.privateKey one for the algorithm
 * @throws TypeError when it is none
 * @see RFC 7515 §5.1, RFC 8725 §3.11
 */
export function signJwt(
  claims: object,
  typ: string,
  key: { kid: string; algorithm: SigningAlgorithm; privateKey: KeyObject },
): string {
  assertKeyFor(key.algorithm, key.privateKey)
  const signingInput = `${headerOf(key, typ)}.${encode(claims)}`
  const signature = signWith(key.algorithm, Buffer.from(signingInput), key.privateKey)
  return `${signingInput}.${signature.toString('base64url')}`
}

/**
 * The claims of an access token that {@link signAccessToken} made with one of the keys, or undefined for any other text. Whether they
 * still hold is the caller's to judge. For the hot path: whatever is written otherwise is left to a library for JWTs.
 *
 * @param keyOf the public key of a `kid`; undefined: not one of ours
 * @see RFC 7515 §5.2, RFC 7518 §3, RFC 8037 §3.1
 */
export async function openAccessToken(
  token: string,
  keyOf: (kid: string) => Promise<{ algorithm: SigningAlgorithm; publicKey: KeyObject } | undefined>,
): Promise<{ claims: unknown; kid: string } | undefined> {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  const kid = more.length === 0 ? kidIn(header) : undefined
  const key = kid === undefined ? undefined : await keyOf(kid)
  // the header is ours to the letter: no other algorithm, no `crit`, no way to write the same in other characters
  if (kid === undefined || key === undefined || header !== headerOf({ ...key, kid }, type)) return undefined
  const bytes = Buffer.from(signature, 'base64url')
  if (bytes.toString('base64url') !== signature) return undefined
  if (!verifyWith(key.algorithm, Buffer.from(`${header}.${payload}`), key.publicKey, bytes)) return undefined
  return { claims: decode(payload), kid }
}

/** The id that a JWT says it has, if it is one as ours have: nothing vouches for it. */
export function namedTokenId(token: string): string | undefined {
  try {
    const { jti } = Object(decode(token.split('.')[1] ?? ''))
    return typeof jti === 'string' && uuid.test(jti) ? jti : undefined
  } catch {
    return undefined
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

// RFC 7518 §3.5: the salt is as long as the hash
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }

function signWith(algorithm: SigningAlgorithm, input: Buffer, key: KeyObject): Buffer {
  switch (algorithm) {
    case 'ES256':
      return rawSignature(sign('sha256', input, key))
    case 'EdDSA': // RFC 8037 §3.1: the curve brings its own hash
      return sign(null, input, key)
    case 'PS256':
      return sign('sha256', input, { key, ...pss })
    case 'RS256': // RFC 7518 §3.3
      return sign('sha256', input, key)
  }
}

function verifyWith(algorithm: SigningAlgorithm, input: Buffer, key: KeyObject, signature: Buffer): boolean {
  switch (algorithm) {
    case 'ES256':
      return (
        signature.length === 2 * coordinateLength && verify('sha256', input, key, derSignature(signature))
      )
    case 'EdDSA':
      return verify(null, input, key, signature)
    case 'PS256':
      return verify('sha256', input, { key, ...pss }, signature)
    case 'RS256':
      return verify('sha256', input, key, signature)
  }
}

// RFC 7518 §3.4: R and S as 32 octets each, not DER. Node can do that itself, at twice the price of the signature.
const coordinateLength = 32

/** R and S of an ECDSA signature on P-256 in DER (RFC 3279 §2.2.3). */
function rawSignature(der: Buffer): Buffer {
  const raw = Buffer.allocUnsafe(2 * coordinateLength).fill(0)
  const endOfR = copyInteger(der, 2, raw, coordinateLength)
  copyInteger(der, endOfR, raw, 2 * coordinateLength)
  return raw
}

/** Copies the last 32 octets of the INTEGER that begins at `from`, or all of them, to before `end`. Returns where the next one begins. */
function copyInteger(der: Buffer, from: number, raw: Buffer, end: number): number {
  const first = from + 2
  const next = first + (der[from + 1] ?? 0)
  const length = Math.min(coordinateLength, next - first)
  der.copy(raw, end - length, next - length, next)
  return next
}

/** The same in DER. */
function derSignature(raw: Buffer): Buffer {
  const body = [raw.subarray(0, coordinateLength), raw.subarray(coordinateLength)].flatMap(octets => {
    const first = octets.findIndex(octet => octet !== 0)
    const integer = octets.subarray(first < 0 ? coordinateLength - 1 : first)
    const sign = (integer[0] ?? 0) >= 0x80 ? [0] : [] // else it would be negative
    return [0x02, sign.length + integer.length, ...sign, ...integer]
  })
  return Buffer.from([0x30, body.length, ...body])
}

function kidIn(header: string): string | undefined {
  try {
    const { kid } = Object(decode(header))
    return typeof kid === 'string' ? kid : undefined
  } catch {
    return undefined // no JSON
  }
}

const type = 'at+jwt'
function headerOf({ algorithm, kid }: { algorithm: SigningAlgorithm; kid: string }, typ: string): string {
  if (last?.kid !== kid || last.algorithm !== algorithm || last.typ !== typ)
    last = { algorithm, kid, typ, header: encode({ alg: algorithm, typ, kid }) }
  return last.header
}

/** The header that was the last to be asked for: mostly it is the next one, too. */
let last:
  | { readonly algorithm: string; readonly kid: string; readonly typ: string; readonly header: string }
  | undefined
const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
