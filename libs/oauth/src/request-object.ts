import {
  decodeJwt,
  decodeProtectedHeader,
  type JWK,
  type JWTPayload,
  type ProtectedHeaderParameters,
} from 'jose'
import { type ClientSigningAlgorithm, clientSigningAlgorithms } from './algorithms.js'
import { isSignedByOneOf } from './client-assertion.js'
import { invalidRequestObject } from './errors.js'

/** A signed authorization request, as it came. */
export interface RequestObject {
  readonly jwt: string
  /** The parameters that it holds, as a query: to be believed once it is verified. */
  readonly query: string
}

/** What a request object is verified against. */
export interface RequestObjectContext {
  /** Who asks. */
  readonly clientId: string
  /** The client's registered keys. */
  readonly keys: readonly JWK[]
  /** In which the client may sign, where not in all. */
  readonly algorithms?: readonly ClientSigningAlgorithm[]
  /** The issuer identifier of this server. */
  readonly issuer: string
  /** Seconds. */
  readonly now: number
}

/** How far ahead a request object may expire, in seconds. */
const longestLife = 600
const clockTolerance = 10
const maxIdLength = 256

/**
 * A request object, read and not yet believed: enough to know where a refusal is to be sent.
 * @throws OAuthError `invalid_request_object` when it can not be read
 */
export function readRequestObject(jwt: string): RequestObject {
  return { jwt, query: queryOf(decoded(jwt).claims) }
}

/**
 * Verifies that the client made the request, for this server, and not long ago.
 *
 * @returns by what a second use is known and until when (seconds), where the client gave it a `jti`
 * @throws OAuthError `invalid_request_object` that says what is wrong
 * @see RFC 9101 §4, §6, §10
 */
export async function verifyRequestObject(
  { jwt }: RequestObject,
  { clientId, keys, algorithms = clientSigningAlgorithms, issuer, now }: RequestObjectContext,
): Promise<{ id: string; expiresAt: number } | undefined> {
  const { header, claims } = decoded(jwt)
  // RFC 9101 §10.2: "all requests … signed"; alg none is no signature
  const algorithm = algorithms.find(known => known === header.alg)
  if (algorithm === undefined)
    throw invalidRequestObject(`The request object must be signed with one of ${algorithms.join(', ')}.`)
  // RFC 9101 §10.8: a JWT that was made for another purpose is of another type
  if (header.typ !== undefined && !/^(application\/)?(jwt|oauth-authz-req\+jwt)$/i.test(header.typ))
    throw invalidRequestObject('The typ of the request object must be oauth-authz-req+jwt.')
  assertClaims(claims, { clientId, issuer, now })
  if (keys.length === 0)
    throw invalidRequestObject(
      'The client has registered no key (jwks) that request objects could be signed with.',
    )
  // RFC 9101 §6.2
  if (!(await isSignedByOneOf({ jwt, algorithm, keyId: header.kid }, keys)))
    throw invalidRequestObject('The request object is signed with no key of the client.')
  const { jti, exp: expiresAt = now } = claims
  return jti === undefined ? undefined : { id: `request object ${clientId} ${jti}`, expiresAt }
}

function assertClaims(
  claims: JWTPayload,
  { clientId, issuer, now }: Pick<RequestObjectContext, 'clientId' | 'issuer' | 'now'>,
): void {
  // RFC 9101 §6.3: the client_id beside the object and the one in it "MUST be identical"
  if (claims.client_id !== clientId)
    throw invalidRequestObject('The client_id of the request object must be that of the client that asks.')
  if (claims.iss !== clientId)
    throw invalidRequestObject('The iss of the request object must be the client_id.')
  // RFC 9101 §4: aud "SHOULD be" the issuer: without it, the object could have been made for another server
  if (![claims.aud].flat().includes(issuer))
    throw invalidRequestObject(`The aud of the request object must be the issuer identifier: ${issuer}`)
  // RFC 9101 §10.8: who could be a client authenticating is nobody asking
  if (claims.sub === clientId)
    throw invalidRequestObject('The sub of the request object must not be the client_id.')
  // RFC 9101 §4: "request and request_uri parameters MUST NOT be included in Request Objects"
  for (const nested of ['request', 'request_uri']) {
    if (nested in claims) throw invalidRequestObject(`The request object must not hold '${nested}'.`)
  }
  const { exp, iat, nbf, jti } = claims as Record<string, unknown>
  if (typeof exp !== 'number')
    throw invalidRequestObject('The request object does not say when it expires (exp).')
  if (exp <= now) throw invalidRequestObject('The request object has expired.')
  if (exp > now + longestLife)
    throw invalidRequestObject(`The request object expires more than ${longestLife} seconds ahead.`)
  for (const [name, time] of [
    ['nbf', nbf],
    ['iat', iat],
  ] as const) {
    if (time !== undefined && !(typeof time === 'number' && time <= now + clockTolerance))
      throw invalidRequestObject(`The ${name} of the request object lies in the future.`)
  }
  if (jti !== undefined && !(typeof jti === 'string' && jti !== '' && jti.length <= maxIdLength))
    throw invalidRequestObject(`The jti of the request object must have 1 to ${maxIdLength} characters.`)
}

/** Claims about the object itself: they are no parameters. @see RFC 7519 §4.1 */
const ofTheJwt = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'])

// RFC 9101 §4: strings are JSON strings, numbers JSON numbers; RFC 8707 §2: resource may be several
function queryOf(claims: JWTPayload): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(claims)) {
    if (ofTheJwt.has(name)) continue
    for (const each of name === 'resource' ? [value].flat() : [value])
      query.append(name, typeof each === 'string' ? each : JSON.stringify(each))
  }
  return query.toString()
}

function decoded(jwt: string): { header: ProtectedHeaderParameters; claims: JWTPayload } {
  if (jwt.split('.').length === 5)
    throw invalidRequestObject('Encrypted request objects are not supported: sign it only.')
  try {
    return { header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) }
  } catch {
    throw invalidRequestObject('The request object is not a signed JWT.')
  }
}
