/** What a protected resource tells a client that it refuses. Absent attributes are left out. */
export type BearerChallenge = {
  realm?: string | undefined
  /** Left out when the request carried no token at all (RFC 6750 §3.1). */
  error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | undefined
  errorDescription?: string | undefined
  /** Space-delimited scope needed for the resource. */
  scope?: string | undefined
  /** URL of the resource's RFC 9728 metadata document. */
  resourceMetadata?: string | undefined
}

/**
 * The value of `WWW-Authenticate` for a protected resource's refusal. Never throws; characters that could end the header
 * are replaced by `?`.
 *
 * @example bearerChallenge({ realm: 'example', error: 'invalid_token' }) // Bearer realm="example", error="invalid_token"
 * @see RFC 6750 §3, RFC 9728 §5.1
 */
export function bearerChallenge(challenge: BearerChallenge): string {
  // RFC 6750 §3: each attribute MUST NOT appear more than once: hence one row each.
  const attributes = [
    ['realm', challenge.realm],
    ['error', challenge.error],
    ['error_description', challenge.errorDescription],
    ['scope', challenge.scope],
    ['resource_metadata', challenge.resourceMetadata],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quotedString(value)}`]))
  return attributes.length === 0 ? 'Bearer' : `Bearer ${attributes.join(', ')}`
}

// RFC 9110 §5.6.4
function quotedString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
