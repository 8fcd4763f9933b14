import { bearerChallenge } from './bearer-challenge.js'
import { invalidRequest } from './errors.js'

/**
 * The access token of an `Authorization` header.
 *
 * @returns the token, or undefined when there is no header or it uses another scheme
 * @throws OAuthError `invalid_request` when the scheme is Bearer and what follows is not one token
 * @see RFC 6750 §2.1
 */
export function readBearerToken(authorization: string | undefined): string | undefined {
  // RFC 9110 §11.1: the scheme is case-insensitive.
  if (authorization === undefined || !/^bearer(?: |$)/i.test(authorization)) return undefined
  // RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1]
  if (token === undefined) {
    const description = 'The Authorization header does not hold exactly one Bearer token.'
    // RFC 6750 §3: a request without a usable token MUST be answered with WWW-Authenticate.
    throw invalidRequest(description, undefined, {
      'WWW-Authenticate': bearerChallenge({ error: 'invalid_request', errorDescription: description }),
    })
  }
  return token
}
