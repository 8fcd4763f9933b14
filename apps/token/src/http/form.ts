import { invalidRequest, type Parameters, parseParameters } from '@grantlog/oauth'

/**
 * The parameters of a request's body: a form, which arrives as text, or nothing. A body that was read as something else is
 * refused by name, where its parameters would otherwise all seem to be missing.
 * @throws OAuthError invalid_request
 * @see RFC 6749 §3.2, Appendix B; RFC 7009 §2.1; RFC 7662 §2.1
 */
export function readForm(body: unknown, options: { maxValueLength?: number } = {}): Parameters {
  if (body === undefined || body === null) return parseParameters('')
  if (typeof body !== 'string') throw invalidRequest('The body must be application/x-www-form-urlencoded.')
  return parseParameters(body, options)
}
