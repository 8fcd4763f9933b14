import { bearerChallenge } from '@grantlog/oauth'

interface Refusal {
  readonly status: 400 | 401 | 403 | 503
  /** undefined: the request brought no token, and is told no more than that it needs one (RFC 6750 §3.1). */
  readonly code?: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable'
  readonly description: string
  /** Scopes that would do, for insufficient_scope. */
  readonly scope?: readonly string[]
  /** For the log, never for the answer. */
  readonly detail?: string
}

/** A request that is not let through, and how to answer it. @see RFC 6750 §3 */
export class GuardError extends Error {
  override readonly name = 'GuardError'
  readonly status: Refusal['status']
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly #refusal: Refusal

  constructor(refusal: Refusal, resourceMetadata?: string) {
    super(refusal.description)
    this.status = refusal.status
    this.detail = refusal.detail
    this.#refusal = refusal
    this.headers =
      refusal.status === 503
        ? { 'retry-after': '1' }
        : {
            'www-authenticate': bearerChallenge({
              ...(resourceMetadata !== undefined && { resourceMetadata }),
              ...(refusal.code !== undefined &&
                refusal.code !== 'temporarily_unavailable' && {
                  error: refusal.code,
                  errorDescription: refusal.description,
                }),
              ...(refusal.scope && { scope: refusal.scope.join(' ') }),
            }),
          }
  }

  /** The body of the answer. */
  toJSON(): { error: string; error_description: string } {
    return { error: this.#refusal.code ?? 'unauthorized', error_description: this.#refusal.description }
  }
}
