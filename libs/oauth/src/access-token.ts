import { type KeyObject, sign, verify } from 'node:crypto'

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
  const header = headerOf(key.kid)
  const signingInput = `${header}.${encode(claims)}`
  const signature = rawSignature(sign('sha256', Buffer.from(signingInput), key.privateKey))
  if (signature === undefined) throw new TypeError('ES256 needs a private key on curve P-256.')
  return `${signingInput}.${signature.toString('base64url')}`
}

/**
 * The claims of an access token that {@link signAccessToken} made with one of the keys, or undefined for any other text. Whether they
 * still hold is the caller's to judge. Synchronous, for the hot path; for a resource server use a library for JWTs.
 *
 * @param keyOf the public key of a `kid`; undefined: not one of ours
 * @see RFC 7515 §5.2, RFC 7518 §3.4
 */
export function openAccessToken(
  token: string,
  keyOf: (kid: string) => KeyObject | undefined,
): { claims: unknown; kid: string } | undefined {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  const kid = more.length === 0 ? kidIn(header) : undefined
  const key = kid === undefined ? undefined : keyOf(kid)
  // the header is ours to the letter: no other algorithm, no `crit`, no way to write the same in other characters
  if (kid === undefined || key === undefined || header !== headerOf(kid)) return undefined
  const bytes = Buffer.from(signature, 'base64url')
  if (bytes.length !== 64 || bytes.toString('base64url') !== signature) return undefined
  if (!verify('sha256', Buffer.from(`${header}.${payload}`), key, derSignature(bytes))) return undefined
  return { claims: decode(payload), kid }
}

// RFC 7518 §3.4: R and S as 32 octets each, not DER. Node can do that itself, at twice the price of the signature.
const coordinateLength = 32

/** R and S of an ECDSA signature in DER (RFC 3279 §2.2.3), or undefined when it is none of P-256. */
function rawSignature(der: Buffer): Buffer | undefined {
  const [r, rest] = integerIn(der[0] === 0x30 && der[1] === der.length - 2 ? der.subarray(2) : undefined)
  const [s, end] = integerIn(rest)
  if (r === undefined || s === undefined || end?.length !== 0) return undefined
  const raw = Buffer.alloc(2 * coordinateLength)
  r.copy(raw, coordinateLength - r.length)
  s.copy(raw, 2 * coordinateLength - s.length)
  return raw
}

/** A positive INTEGER of at most 256 bits without leading zeros, and what stands behind it. */
function integerIn(der: Buffer | undefined): [integer?: Buffer, rest?: Buffer] {
  if (der?.[0] !== 0x02) return []
  const end = 2 + (der[1] ?? 0)
  const integer = der.subarray(der[2] === 0 ? 3 : 2, end)
  return integer.length <= coordinateLength ? [integer, der.subarray(end)] : []
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

const headerOf = (kid: string): string => encode({ alg: 'ES256', typ: 'at+jwt', kid })
const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
