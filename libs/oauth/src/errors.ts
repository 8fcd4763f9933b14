import { type BearerChallenge, bearerChallenge } from './bearer-challenge.js'

/** An `error` value that a Grantlog endpoint can answer with; each is registered by the RFC named at its constructor. */
export type OAuthErrorCode =
  | 'access_denied'
  | 'authorization_pending'
  | 'expired_token'
  | 'insufficient_scope'
  | 'invalid_authorization_details'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_dpop_proof'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_request_object'
  | 'invalid_request_uri'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_token'
  | 'server_error'
  | 'slow_down'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unsupported_token_type'
  | 'use_dpop_nonce'

/**
 * A refusal in the protocol's own form. `description` is public: the client's developer reads it. `detail` is private: it goes
 * to the log and never into the reply, and it must not hold a secret either. Make one with the constructor functions below.
 *
 * @see RFC 6749 §5.2
 */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  /** HTTP status of the reply where the error is not carried by a redirect. */
  readonly status: number
  /** Public sentence, always within the characters of RFC 6749 §5.2. */
  readonly description: string
  /** Private: for the log only. */
  readonly detail: string | undefined
  /** Response headers that the error demands. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: OAuthErrorCode,
    status: number,
    description: string,
    detail?: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const publicDescription = toErrorDescription(description)
    super(publicDescription)
    this.name = 'OAuthError'
    this.code = code
    this.status = status
    this.description = publicDescription
    this.detail = detail
    this.headers = { 'Cache-Control': 'no-store', ...headers }
  }

  /** The reply's body, and the parameters of an error redirect (RFC 6749 §4.1.2.1, §5.2). */
  toJSON(): { error: OAuthErrorCode; error_description: string } {
    return { error: this.code, error_description: this.description }
  }
}

// RFC 6749 §5.2: error_description "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
function toErrorDescription(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replace(/[^\x20-\x7e]/g, '?')
}

/** `invalid_request`, 400: a parameter is missing, repeated or malformed. @see RFC 6749 §4.1.2.1, §5.2 */
export const invalidRequest = (
  description: string,
  detail?: string,
  headers?: Readonly<Record<string, string>>,
): OAuthError => new OAuthError('invalid_request', 400, description, detail, headers)

/** `invalid_authorization_details`, 400: of an unknown type, or not as its type has it. @see RFC 9396 §5 */
export const invalidAuthorizationDetails = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_authorization_details', 400, description, detail)

/** `invalid_request_object`, 400: what is in `request` was not made by the client for this server. @see RFC 9101 §7 */
export const invalidRequestObject = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_request_object', 400, description, detail)

/** `invalid_request_uri`, 400: nothing that was pushed here is known by it. @see RFC 9101 §7 */
export const invalidRequestUri = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_request_uri', 400, description, detail)

/**
 * `invalid_client`, 401: the client is unknown or did not authenticate. Pass `{ basic: true }` when the client used the
 * `Authorization` header: then the reply must carry the matching challenge. @see RFC 6749 §5.2, RFC 7617 §2
 */
export const invalidClient = (
  description: string,
  detail?: string,
  options: { basic?: boolean } = {},
): OAuthError =>
  new OAuthError(
    'invalid_client',
    401,
    description,
    detail,
    // RFC 6749 §5.2: "include the "WWW-Authenticate" response header field matching the authentication scheme used".
    options.basic ? { 'WWW-Authenticate': 'Basic realm="oauth", charset="UTF-8"' } : {},
  )

/** `invalid_grant`, 400: the code or refresh token is invalid, expired, revoked or another client's. @see RFC 6749 §5.2 */
export const invalidGrant = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_grant', 400, description, detail)

/** `unauthorized_client`, 400: the client may not use this grant or response type. @see RFC 6749 §4.1.2.1, §5.2 */
export const unauthorizedClient = (description: string, detail?: string): OAuthError =>
  new OAuthError('unauthorized_client', 400, description, detail)

/** `unsupported_grant_type`, 400. @see RFC 6749 §5.2 */
export const unsupportedGrantType = (description: string, detail?: string): OAuthError =>
  new OAuthError('unsupported_grant_type', 400, description, detail)

/** `unsupported_response_type`, 400. @see RFC 6749 §4.1.2.1 */
export const unsupportedResponseType = (description: string, detail?: string): OAuthError =>
  new OAuthError('unsupported_response_type', 400, description, detail)

/** `invalid_scope`, 400: unknown, malformed, or more than was granted. @see RFC 6749 §4.1.2.1, §5.2 */
export const invalidScope = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_scope', 400, description, detail)

/** `invalid_target`, 400: the resource is unknown, malformed or not acceptable. @see RFC 8707 §2 */
export const invalidTarget = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_target', 400, description, detail)

/** `access_denied`: the owner or the server refused; 400 where it is no redirect. @see RFC 6749 §4.1.2.1, RFC 8628 §3.5 */
export const accessDenied = (description: string, detail?: string): OAuthError =>
  new OAuthError('access_denied', 400, description, detail)

/** `authorization_pending`, 400: nobody has answered yet, ask again. @see RFC 8628 §3.5 */
export const authorizationPending = (description: string, detail?: string): OAuthError =>
  new OAuthError('authorization_pending', 400, description, detail)

/** `slow_down`, 400: not answered yet either, and from now on ask five seconds less often. @see RFC 8628 §3.5 */
export const slowDown = (description: string, detail?: string): OAuthError =>
  new OAuthError('slow_down', 400, description, detail)

/** `expired_token`, 400: the device code has expired. @see RFC 8628 §3.5 */
export const expiredToken = (description: string, detail?: string): OAuthError =>
  new OAuthError('expired_token', 400, description, detail)

/** `server_error`, 500. @see RFC 6749 §4.1.2.1 */
export const serverError = (description: string, detail?: string): OAuthError =>
  new OAuthError('server_error', 500, description, detail)

/** `temporarily_unavailable`, 503; `retryAfter` in seconds, rounded up. @see RFC 6749 §4.1.2.1, RFC 9110 §10.2.3 */
export const temporarilyUnavailable = (
  description: string,
  retryAfter: number,
  detail?: string,
): OAuthError =>
  new OAuthError('temporarily_unavailable', 503, description, detail, {
    'Retry-After': String(Math.max(0, Math.ceil(retryAfter))),
  })

/**
 * Too many requests of one sender: 429 and `Retry-After` in seconds, rounded up. No RFC registers an error code of its own for it;
 * `temporarily_unavailable` says what the client may do, the status why. @see RFC 6585 §4, RFC 6749 §4.1.2.1
 */
export const tooManyRequests = (description: string, retryAfter: number, detail?: string): OAuthError =>
  new OAuthError('temporarily_unavailable', 429, description, detail, {
    'Retry-After': String(Math.max(1, Math.ceil(retryAfter))),
  })

/** `unsupported_token_type`, 400: this server does not revoke that type of token. @see RFC 7009 §2.2.1 */
export const unsupportedTokenType = (description: string, detail?: string): OAuthError =>
  new OAuthError('unsupported_token_type', 400, description, detail)

/** `invalid_redirect_uri`, 400: refused at the client's registration. @see RFC 7591 §3.2.2 */
export const invalidRedirectUri = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_redirect_uri', 400, description, detail)

/** `invalid_client_metadata`, 400: refused at the client's registration. @see RFC 7591 §3.2.2 */
export const invalidClientMetadata = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_client_metadata', 400, description, detail)

/** `invalid_token`, 401 with a Bearer challenge: expired, revoked, malformed or otherwise invalid. @see RFC 6750 §3.1 */
export const invalidToken = (
  description: string,
  detail?: string,
  challenge: Pick<BearerChallenge, 'realm' | 'resourceMetadata'> = {},
): OAuthError =>
  new OAuthError('invalid_token', 401, description, detail, {
    'WWW-Authenticate': bearerChallenge({
      ...challenge,
      error: 'invalid_token',
      errorDescription: toErrorDescription(description),
    }),
  })

/** `insufficient_scope`, 403 with a Bearer challenge that names the scope to ask for. @see RFC 6750 §3.1 */
export const insufficientScope = (
  description: string,
  requiredScope: string,
  detail?: string,
  challenge: Pick<BearerChallenge, 'realm' | 'resourceMetadata'> = {},
): OAuthError =>
  new OAuthError('insufficient_scope', 403, description, detail, {
    'WWW-Authenticate': bearerChallenge({
      ...challenge,
      error: 'insufficient_scope',
      errorDescription: toErrorDescription(description),
      scope: requiredScope,
    }),
  })

/** `invalid_dpop_proof`, 400: what came in the DPoP header proves nothing. @see RFC 9449 §5 */
export const invalidDpopProof = (description: string, detail?: string): OAuthError =>
  new OAuthError('invalid_dpop_proof', 400, description, detail)

/** `use_dpop_nonce`, 400: the proof must hold this nonce. @see RFC 9449 §8 */
export const useDpopNonce = (nonce: string): OAuthError =>
  new OAuthError(
    'use_dpop_nonce',
    400,
    'The DPoP proof must have the nonce of the DPoP-Nonce header.',
    undefined,
    {
      'DPoP-Nonce': nonce,
    },
  )
