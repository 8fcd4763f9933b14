import type { KeyObject } from 'node:crypto'
import { signJwt } from './access-token.js'
import type { SigningAlgorithm } from './jwk.js'

/** The media type of a signed introspection response, without `application/`: its `typ` too. @see RFC 9701 §5 */
export const introspectionJwtType = 'token-introspection+jwt'

/**
 * Whether the caller of the introspection endpoint asks for a signed response: by name, and not less than for JSON.
 * @see RFC 9701 §4; RFC 9110 §12.5.1, §12.4.2
 */
export function asksForSignedIntrospection(accept: string | undefined): boolean {
  const weights = weightsIn(accept ?? '')
  const signed = weights.get(`application/${introspectionJwtType}`) ?? 0
  return signed > 0 && signed >= (weights.get('application/json') ?? 0)
}

/**
 * A signed introspection response. It has neither `sub` nor `exp` of its own, so that it is never taken for an access token.
 *
 * @param response as RFC 7662 §2.2 has it
 * @param options.audience the client that asked
 * @param options.now seconds
 * @see RFC 9701 §5, §8.1
 */
export function signIntrospection(
  response: { readonly active: boolean },
  options: { issuer: string; audience: string; now: number },
  key: { kid: string; algorithm: SigningAlgorithm; privateKey: KeyObject },
): string {
  const { issuer, audience, now } = options
  const claims = { iss: issuer, aud: audience, iat: now, token_introspection: response }
  return signJwt(claims, introspectionJwtType, key)
}

/** The weight of each media range; what has none that can be read is not wanted. */
function weightsIn(accept: string): ReadonlyMap<string, number> {
  return new Map(
    accept.split(',').map(range => {
      const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
      const q = parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? '1'
      return [type, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 0]
    }),
  )
}
