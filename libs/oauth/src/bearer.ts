import { bearerChallenge, type TokenScheme } from './bearer-challenge.js'
import { invalidRequest } from './errors.js'

/**
 * The access token of an `Authorization` header.
 *
 * @returns the token, or undefined when there is no header or it uses another scheme
 * @throws OAuthError `invalid_request` when the scheme is one of them and what follows is not one token
 * @see RFC 6750 §2.1, RFC 9449 §7.1
 */
export function readAccessTokenHeader(
  authorization: string | undefined,
): { scheme: TokenScheme; token: string } | undefined {
  // RFC 9110 §11.1: the scheme is case-insensitive.
  const [, name] = /^(bearer|dpop)(?: |$)/i.exec(authorization ?? '') ?? []
  if (authorization === undefined || name === undefined) return undefined
  const scheme = name.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer'
  // RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token; RFC 9449 §7.1: "DPoP" 1*SP token68, which is the same
  const token = /^[a-z]+ +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1]
  if (token === undefined) {
    const description = `The Authorization header does not hold exactly one ${scheme} token.`
    // RFC 6750 §3: a request without a usable token MUST be answered with WWW-Authenticate.
    throw invalidRequest(description, undefined, {
      'WWW-Authenticate': bearerChallenge(
        { error: 'invalid_request', errorDescription: description },
        scheme,
      ),
    })
  }
  return { scheme, token }
}
