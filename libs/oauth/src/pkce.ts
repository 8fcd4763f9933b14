import { createHash, timingSafeEqual } from 'node:crypto'
import { invalidGrant, invalidRequest } from './errors.js'

/**
 * The S256 challenge of a verifier: 43 characters of base64url.
 *
 * @see RFC 7636 §4.2
 */
export function codeChallengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url')
}

/**
 * Accepts the PKCE parameters of an authorization request: S256 is required from every client.
 *
 * @throws OAuthError `invalid_request`
 * @see RFC 7636 §4.3, §4.4.1; RFC 9700 §2.1.1
 */
export function assertCodeChallenge(
  challenge: string | undefined,
  method: string | undefined,
): asserts challenge is string {
  // RFC 7636 §4.4.1: a server that requires PKCE MUST answer invalid_request when the challenge is missing.
  if (challenge === undefined)
    throw invalidRequest("Parameter 'code_challenge' is missing: PKCE is required.")
  // RFC 7636 §4.3: an absent method means "plain". §4.4.1: an unsupported one is invalid_request.
  if (method !== 'S256') throw invalidRequest("Parameter 'code_challenge_method' must be S256.")
  // RFC 7636 §4.2: BASE64URL of 32 octets; the last of its 43 characters carries only four bits.
  if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(challenge)) {
    throw invalidRequest("Parameter 'code_challenge' is not the base64url of a SHA-256 digest.")
  }
}

/**
 * Accepts the verifier of a token request, in constant time.
 *
 * @throws OAuthError `invalid_request` when it breaks the grammar, `invalid_grant` when it is not the challenge's
 * @see RFC 7636 §4.1, §4.6
 */
export function verifyCodeVerifier(verifier: string, challenge: string): void {
  // RFC 7636 §4.1: code-verifier = 43*128unreserved
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) {
    throw invalidRequest(
      "Parameter 'code_verifier' must be 43 to 128 letters, digits, hyphens, periods, underscores or tildes.",
    )
  }
  const expected = Buffer.from(challenge)
  const actual = Buffer.from(codeChallengeOf(verifier))
  // RFC 7636 §4.6: "If the values are not equal, an error response indicating "invalid_grant" … MUST be returned."
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
    throw invalidGrant("Parameter 'code_verifier' does not match the code challenge.")
  }
}
