/**
 * Whether a text is an absolute URI: a scheme, then something; no fragment, only a URI's characters, whole percent-encodings.
 *
 * @see RFC 3986 §4.3, §2
 */
export function isAbsoluteUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/.test(text)
}
