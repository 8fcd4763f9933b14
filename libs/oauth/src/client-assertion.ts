import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK, type JWK, type JWTPayload } from 'jose'
import { type ClientSigningAlgorithm, clientSigningAlgorithms } from './algorithms.js'
import { invalidClient, type OAuthError } from './errors.js'

/** `client_assertion_type` of a JWT. @see RFC 7523 §2.2 */
export const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A client assertion that says what it must; whether the client signed it is another question. */
export interface ClientAssertion {
  readonly jwt: string
  readonly clientId: string
  readonly algorithm: ClientSigningAlgorithm
  readonly keyId: string | undefined
  /** `jti`: good for one use. */
  readonly id: string
  /** Seconds. */
  readonly expiresAt: number
}

/** How far ahead an assertion may expire, in seconds: so long its id is remembered. */
export const longestAssertion = 600
const clockTolerance = 10
const maxIdLength = 256

/** The `sub` of an assertion, before anything of it is believed. @throws OAuthError `invalid_client` when it is no JWT that has one */
export function subjectOfAssertion(jwt: string): string {
  const { sub } = decoded(jwt, client).claims
  if (typeof sub !== 'string' || !/^[\x20-\x7e]+$/.test(sub))
    throw invalidClient('The client assertion does not name its client in sub.')
  return sub
}

/**
 * What an assertion says, checked. It tells nobody whether the client exists: no key was asked for.
 *
 * @param context.issuer the one audience that an assertion may have
 * @param context.now seconds
 * @throws OAuthError `invalid_client` that says what the assertion lacks
 * @see RFC 7523 §3, draft-ietf-oauth-rfc7523bis §4 (the issuer as sole audience)
 */
export function readClientAssertion(jwt: string, context: { issuer: string; now: number }): ClientAssertion {
  // RFC 7523 §3: for client authentication, iss and sub are both the client_id
  const clientId = subjectOfAssertion(jwt)
  const { claims, ...checked } = readAssertion(jwt, client, context)
  if (claims.iss !== clientId)
    throw invalidClient('The iss and the sub of a client assertion must both be the client_id.')
  return { ...checked, clientId }
}

/** What an assertion is for. */
export interface AssertionUse {
  readonly name: string
  /** Of the media types that may be its `typ`, the one of its own, without `application/`. */
  readonly typ: string
  readonly refuse: (description: string) => OAuthError
}
const client: AssertionUse = {
  name: 'client assertion',
  typ: 'client-authentication+jwt',
  refuse: description => invalidClient(description),
}

/** The checks that are the same for every assertion; who may say what is for its use to know. @see RFC 7523 §3 */
export function readAssertion(
  jwt: string,
  use: AssertionUse,
  { issuer, now }: { issuer: string; now: number },
): Omit<ClientAssertion, 'clientId'> & { readonly claims: JWTPayload } {
  const { name, typ, refuse } = use
  const { header, claims } = decoded(jwt, use)
  const algorithm = clientSigningAlgorithms.find(known => known === header.alg)
  if (algorithm === undefined)
    throw refuse(`The ${name} must be signed with one of ${clientSigningAlgorithms.join(', ')}.`)
  if (
    header.typ !== undefined &&
    !['jwt', typ].includes(header.typ.toLowerCase().replace(/^application\//, ''))
  )
    throw refuse(`The JWT is of another type than a ${name}.`) // RFC 8725 §3.12
  // an assertion made for another server, or for several, could have been made for a server that passes it on
  if (claims.aud !== issuer)
    throw refuse(`The aud of the ${name} must be the issuer identifier, and nothing else: ${issuer}`)
  const { exp, iat, nbf, jti } = claims
  if (typeof exp !== 'number') throw refuse(`The ${name} does not say when it expires (exp).`)
  if (exp <= now) throw refuse(`The ${name} has expired.`)
  if (exp > now + longestAssertion)
    throw refuse(`The ${name} expires more than ${longestAssertion} seconds ahead.`)
  for (const [claim, time] of [
    ['nbf', nbf],
    ['iat', iat],
  ] as const) {
    if (time !== undefined && !(typeof time === 'number' && time <= now + clockTolerance))
      throw refuse(`The ${claim} of the ${name} lies in the future.`)
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > maxIdLength)
    throw refuse(`The ${name} needs a jti of 1 to ${maxIdLength} characters.`)
  return { jwt, algorithm, keyId: header.kid, id: jti, expiresAt: exp, claims }
}

/** Whether one of the client's keys signed what it sent. @see RFC 7515 §5.2 */
export async function isSignedByOneOf(
  { jwt, algorithm, keyId }: Pick<ClientAssertion, 'jwt' | 'algorithm' | 'keyId'>,
  keys: readonly JWK[],
): Promise<boolean> {
  // RFC 7515 §4.1.4: kid is a hint as to which key; without one, all that fit are tried
  const named = keyId === undefined ? keys : keys.filter(({ kid }) => kid === undefined || kid === keyId)
  for (const key of named.filter(({ kty }) => kty === keyTypes[algorithm])) {
    const verified = await compactVerify(jwt, await importJWK({ ...key }, algorithm), {
      algorithms: [algorithm],
    }).catch(() => undefined) // not this one
    if (verified !== undefined) return true
  }
  return false
}

const keyTypes = { ES256: 'EC', Ed25519: 'OKP', EdDSA: 'OKP', PS256: 'RSA', RS256: 'RSA' } as const

function decoded(jwt: string, { name, refuse }: AssertionUse) {
  try {
    return { header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) }
  } catch {
    throw refuse(`The ${name} is not a signed JWT.`)
  }
}
