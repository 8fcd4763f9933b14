import type { X509Certificate } from 'node:crypto'
import type { Guard, Need } from './guard.js'
import { GuardError } from './guard-error.js'
import { answerOf, hasTokenInQuery } from './http.js'
import type { VerifiedToken } from './verified-token.js'

/**
 * For servers that handle a `Request` with a function: the token, or the `Response` that refuses it.
 *
 * @param certificate what the client proved to hold in TLS: a `Request` does not tell
 * @example
 * const token = await verifyToken(guard, request, { scope: ['notes:read'] })
 * if (token instanceof Response) return token
 */
export async function verifyToken(
  guard: Guard,
  request: Request,
  need?: Need,
  certificate?: X509Certificate,
): Promise<VerifiedToken | Response> {
  const { pathname, search } = new URL(request.url)
  try {
    return await guard.verify(
      {
        authorization: request.headers.get('authorization') ?? undefined,
        dpop: request.headers.get('dpop') ?? undefined,
        method: request.method,
        path: pathname + search,
        certificate,
        tokenInQuery: hasTokenInQuery(search),
      },
      need,
    )
  } catch (error) {
    if (!(error instanceof GuardError)) throw error
    const { status, headers, body } = answerOf(error)
    return new Response(body, { status, headers })
  }
}
