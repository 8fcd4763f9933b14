/** What a client of an authorization server does. The two faces differ in how, the flow above them is one. */
export interface AuthorizationClient {
  /** Where to send the person, and what to remember until she is back. */
  ask(scope: string): Promise<{ url: URL; asked: Asked }>
  /** @param callback the redirect URI with the answer, of which `refuseStranger` found nothing to say */
  redeem(callback: URL, asked: Asked): Promise<TokenResponse>
  refresh(refreshToken: string): Promise<TokenResponse>
  revoke(token: string): Promise<void>
  /** Calls the invoices API. @throws where the API answers with a challenge (RFC 6750 §3) */
  call(accessToken: string, method: 'GET' | 'POST', draft?: object): Promise<Response>
}

/** One authorization request, awaiting its answer. */
export interface Asked {
  readonly state: string
  readonly verifier: string
  readonly scope: string
}

/** @see RFC 6749 §5.1 */
export interface TokenResponse {
  readonly access_token: string
  readonly refresh_token?: string | undefined
  readonly expires_in?: number | undefined
  readonly scope?: string | undefined
}

/** The scopes that a person may choose between; the first one is the default. */
export const scopeChoices = ['invoices:read', 'invoices:read invoices:write'] as const

/**
 * Why an answer at the redirect URI is not the one that was asked for; undefined when it is.
 * @see RFC 6749 §10.12, RFC 9207 §2.4
 */
export function refuseStranger(
  answer: URLSearchParams,
  asked: Asked | undefined,
  issuer: string,
): string | undefined {
  if (!asked) return 'An answer came back, but this browser has not asked for anything, or too long ago.'
  const repeated = [...answer.keys()].find(name => answer.getAll(name).length > 1)
  if (repeated !== undefined) return `The answer has the parameter '${repeated}' more than once.`
  const state = answer.get('state')
  if (!state) return 'The answer has no state, so it may not be the answer to what this browser asked.'
  if (state !== asked.state) return 'The answer has another state than this browser asked with.'
  const iss = answer.get('iss')
  if (!iss) return 'The answer does not say which authorization server it comes from (iss).'
  if (iss !== issuer) return `The answer comes from another authorization server than was asked: ${iss}.`
  if (!answer.get('code') && !answer.get('error')) return 'The answer has neither a code nor an error.'
  return undefined
}

/** Plain http is for the developer's own machine. */
export function isLoopback(url: URL): boolean {
  return /^(localhost|.+\.localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
}
