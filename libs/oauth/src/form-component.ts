/**
 * Decodes one name or value of `application/x-www-form-urlencoded`.
 *
 * @returns undefined when a percent sign is not followed by two hex digits or the bytes are not UTF-8
 * @see RFC 6749 Appendix B
 */
export function decodeFormComponent(encoded: string): string | undefined {
  if (!/[%+]/.test(encoded)) return encoded // as most are
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    return undefined // a URIError is all that decodeURIComponent throws
  }
}
