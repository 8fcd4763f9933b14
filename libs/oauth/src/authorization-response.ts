/**
 * The URI that carries an authorization response, success or error, back to the client. Undefined parameters are left out; pass
 * `iss` to name the issuer.
 *
 * @param redirectUri as registered: it has no fragment
 * @see RFC 6749 §4.1.2, §4.1.2.1; RFC 9207 §2
 */
export function authorizationResponse(
  redirectUri: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  // RFC 6749 §4.1.2: added to the query "using the "application/x-www-form-urlencoded" format".
  const added = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) added.append(name, value)
  }
  // RFC 6749 §3.1.2: an existing query "MUST be retained when adding additional query parameters".
  return `${redirectUri}${separatorAfter(redirectUri)}${added}`
}

function separatorAfter(uri: string): '' | '?' | '&' {
  if (!uri.includes('?')) return '?'
  return /[?&]$/.test(uri) ? '' : '&'
}
