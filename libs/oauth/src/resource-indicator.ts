import { invalidTarget } from './errors.js'
import { isAbsoluteUri } from './uri.js'

/**
 * Accepts the value of a `resource` parameter.
 *
 * @throws OAuthError `invalid_target`
 * @see RFC 8707 §2
 */
export function assertResourceIndicator(resource: string): void {
  // RFC 8707 §2: "The URI MUST NOT include a fragment component."
  if (resource.includes('#')) throw invalidTarget("Parameter 'resource' must not have a fragment.")
  // RFC 8707 §2: "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]."
  if (!isAbsoluteUri(resource)) throw invalidTarget("Parameter 'resource' must be an absolute URI.")
}
