import { bearerChallenge, clientSigningAlgorithms, type TokenScheme } from '@grantlog/oauth'

interface Refusal {
  readonly status: 400 | 401 | 403 | 503
  /** undefined: the request brought no token, and is told no more than that it needs one (RFC 6750 §3.1). */
  readonly code?:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'invalid_dpop_proof'
    | 'temporarily_unavailable'
  readonly description: string
  /** Scopes that would do, for insufficient_scope. */
  readonly scope?: readonly string[]
  /** For the log, never for the answer. */
  readonly detail?: string
}

/** A request that is not let through, and how to answer it. @see RFC 6750 §3, RFC 9449 §7.1 */
export class GuardError extends Error {
  override readonly name = 'GuardError'
  readonly status: Refusal['status']
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly #refusal: Refusal
  readonly #resourceMetadata: string | undefined

  /** @param scheme as which the token was sent; undefined: there was none */
  constructor(refusal: Refusal, resourceMetadata?: string, scheme?: TokenScheme) {
    super(refusal.description)
    this.status = refusal.status
    this.detail = refusal.detail
    this.#refusal = refusal
    this.#resourceMetadata = resourceMetadata
    this.headers =
      refusal.status === 503
        ? { 'retry-after': '1' }
        : { 'www-authenticate': challengesOf(refusal, resourceMetadata, scheme) }
  }

  /** The same, in answer to a token that was sent as this. */
  answering(scheme: TokenScheme): GuardError {
    return new GuardError(this.#refusal, this.#resourceMetadata, scheme)
  }

  /** The body of the answer. */
  toJSON(): { error: string; error_description: string } {
    return { error: this.#refusal.code ?? 'unauthorized', error_description: this.#refusal.description }
  }
}

/** The scheme that was used is told what is wrong; without one, both are offered. */
function challengesOf(
  { code, description, scope }: Refusal,
  resourceMetadata: string | undefined,
  used: TokenScheme | undefined,
): string {
  const schemes = used === undefined ? (['Bearer', 'DPoP'] as const) : [used]
  return schemes
    .map(scheme =>
      bearerChallenge(
        {
          ...(resourceMetadata !== undefined && { resourceMetadata }),
          ...(code !== undefined &&
            code !== 'temporarily_unavailable' && { error: code, errorDescription: description }),
          ...(scope && { scope: scope.join(' ') }),
          ...(scheme === 'DPoP' && { algs: clientSigningAlgorithms.join(' ') }),
        },
        scheme,
      ),
    )
    .join(', ')
}
