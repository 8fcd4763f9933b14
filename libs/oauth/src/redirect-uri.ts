import { invalidRedirectUri } from './errors.js'
import { isAbsoluteUri } from './uri.js'

const MAX_LENGTH = 1024

// RFC 6749 §3.1: a response parameter MUST NOT be included more than once, so the URI's own query can't name one.
const RESPONSE_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'] as const

/**
 * Accepts a redirection URI for registration: `https`, `http` on the loopback interface, or (public clients only) a private-use
 * scheme. At most 1024 characters.
 *
 * @throws OAuthError `invalid_redirect_uri`
 * @see RFC 6749 §3.1.2, RFC 8252 §7, RFC 7591 §3.2.2, RFC 9700 §2.1
 */
export function assertRedirectUri(uri: string, client: { confidential: boolean }): void {
  const refuse = (reason: string) => invalidRedirectUri(`The redirect URI ${reason}.`)

  if (uri.length > MAX_LENGTH) throw refuse(`is longer than ${MAX_LENGTH} characters`)
  // RFC 6749 §3.1.2: "The endpoint URI MUST NOT include a fragment component."
  if (uri.includes('#')) throw refuse('must not have a fragment')
  // RFC 9700 §2.1: exact string matching, so a pattern would never match.
  if (uri.includes('*')) throw refuse('must not have a wildcard: it is compared as an exact string')
  // RFC 6749 §3.1.2: "The redirection endpoint URI MUST be an absolute URI as defined by RFC 3986 Section 4.3."
  if (!isAbsoluteUri(uri) || !URL.canParse(uri)) throw refuse('must be an absolute URI')
  // RFC 9110 §4.2.4
  if (/^[^:]+:\/\/[^/?]*@/.test(uri)) throw refuse('must not have a user name or password')
  // RFC 3986 §3.2.2 allows more in a host than any name of the DNS has, and a page's policy could not name it
  if (/^https?:/i.test(uri) && !/^(?:[\w.-]+|\[[\da-f:.]+\])$/i.test(new URL(uri).hostname)) {
    throw refuse('must name a host of letters, digits, dots and hyphens')
  }
  const taken = RESPONSE_PARAMETERS.find(name => new URL(uri).searchParams.has(name))
  if (taken) throw refuse(`must not have '${taken}' in its query: the response adds it`)

  if (/^https:\/\/[^/?]/i.test(uri)) return
  if (/^https?:/i.test(uri)) {
    // RFC 8252 §7.3, §8.3
    if (/^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?(?:[/?]|$)/i.test(uri)) return
    throw refuse('must use https: plain http is only for 127.0.0.1, [::1] and localhost')
  }
  // RFC 8252 §7.1: a scheme based on a domain name, in reverse; "at a minimum, any private-use URI scheme that doesn't
  // contain a period character (".") SHOULD be rejected" (§8.4). It also keeps out javascript:, data: and their like.
  if (!/^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:\//i.test(uri)) {
    throw refuse(
      'must use https, http on loopback, or a private-use scheme such as com.example.app:/callback',
    )
  }
  // RFC 8252 §8.4: native apps are public clients.
  if (client.confidential) throw refuse('must not use a private-use scheme: this client is confidential')
}

/**
 * Whether a requested redirection URI is one of the registered: an exact string, or the same loopback IP address with another
 * port.
 *
 * @see RFC 9700 §2.1, RFC 8252 §7.3
 */
export function matchRedirectUri(registered: readonly string[], requested: string): boolean {
  // RFC 6749 §3.1.2.3, RFC 9700 §2.1: "exact string matching".
  if (registered.includes(requested)) return true
  // RFC 8252 §7.3: "MUST allow any port to be specified at the time of the request for loopback IP redirect URIs".
  const loopback = withoutLoopbackPort(requested)
  return loopback !== undefined && registered.some(uri => withoutLoopbackPort(uri) === loopback)
}

// RFC 8252 §7.3: IP literals only; the name "localhost" is compared exactly (§8.3).
function withoutLoopbackPort(uri: string): string | undefined {
  const parts = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::(\d{1,5}))?((?:[/?].*)?)$/.exec(uri)
  if (!parts || Number(parts[2] ?? 80) > 65_535) return undefined
  return `${parts[1]}${parts[3]}`
}
