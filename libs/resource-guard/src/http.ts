import type { CertificateCarrier, Guard, TokenRequest } from './guard.js'
import type { GuardError } from './guard-error.js'
import type { VerifiedToken } from './verified-token.js'

/** A request as Node’s servers have it; Express, Fastify and Nest add to it. */
export interface HttpRequest extends CertificateCarrier {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Where routers have cut `url`. */
  readonly originalUrl?: string | undefined
}

/** What a guard must know of a request. */
export function tokenRequestOf(guard: Guard, request: HttpRequest): TokenRequest {
  const path = request.originalUrl ?? request.url ?? ''
  return {
    authorization: one(request, 'authorization'),
    dpop: one(request, 'dpop'),
    method: request.method,
    path,
    certificate: guard.certificateOf(request),
    tokenInQuery: hasTokenInQuery(path),
  }
}

/** Lines of one name combine with commas (RFC 9110 §5.3): no header that is read here may be two. */
function one({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

export function hasTokenInQuery(path: string): boolean {
  const at = path.indexOf('?')
  return at >= 0 && new URLSearchParams(path.slice(at)).has('access_token')
}

/** A refusal as an answer (RFC 6750 §3), which no cache may keep. */
export function answerOf(error: GuardError): {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
} {
  return {
    status: error.status,
    headers: { ...error.headers, 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(error),
  }
}

const verified = new WeakMap<object, VerifiedToken>()

export function remember(request: object, token: VerifiedToken): void {
  verified.set(request, token)
}

/** The verified token of a request. @throws Error where none was asked for */
export function tokenOf(request: object): VerifiedToken {
  const token = verified.get(request)
  if (token === undefined) throw new Error('The route does not ask for a token: it has none.')
  return token
}
