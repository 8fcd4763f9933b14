/** How an access token is sent: as it is, or with a proof beside it. @see RFC 6750 §2.1, RFC 9449 §7.1 */
export type TokenScheme = 'Bearer' | 'DPoP'

/** What a protected resource tells a client that it refuses. Absent attributes are left out. */
export type BearerChallenge = {
  realm?: string | undefined
  /** Left out when the request carried no token at all (RFC 6750 §3.1). */
  error?:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce'
    | undefined
  errorDescription?: string | undefined
  /** Space-delimited scope needed for the resource. */
  scope?: string | undefined
  /** URL of the resource's RFC 9728 metadata document. */
  resourceMetadata?: string | undefined
  /** Space-delimited algorithms of proofs, for the scheme DPoP (RFC 9449 §7.1). */
  algs?: string | undefined
}

/**
 * The value of `WWW-Authenticate` for a protected resource's refusal. Never throws; characters that could end the header
 * are replaced by `?`.
 *
 * @example bearerChallenge({ realm: 'example', error: 'invalid_token' }) // Bearer realm="example", error="invalid_token"
 * @see RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1
 */
export function bearerChallenge(challenge: BearerChallenge, scheme: TokenScheme = 'Bearer'): string {
  // RFC 6750 §3: each attribute MUST NOT appear more than once: hence one row each.
  const attributes = [
    ['realm', challenge.realm],
    ['error', challenge.error],
    ['error_description', challenge.errorDescription],
    ['scope', challenge.scope],
    ['resource_metadata', challenge.resourceMetadata],
    ['algs', challenge.algs],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quotedString(value)}`]))
  return attributes.length === 0 ? scheme : `${scheme} ${attributes.join(', ')}`
}

// RFC 9110 §5.6.4
function quotedString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
