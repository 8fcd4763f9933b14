import type { Guard, Need } from './guard.js'
import { GuardError } from './guard-error.js'
import { answerOf, type HttpRequest, remember, tokenRequestOf } from './http.js'

export { tokenOf } from './http.js'

/** Node’s own, which Express’s is. */
interface Response {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown }
}

/**
 * Middleware for a route, a router or all: it lets through who has a good token. Handlers read it by `tokenOf(request)`.
 *
 * @example app.get('/notes', requireToken(guard, { scope: ['notes:read'] }), (request, response) => response.json(tokenOf(request).owner))
 */
export function requireToken(
  guard: Guard,
  need?: Need,
): (request: HttpRequest, response: Response, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    guard.verify(tokenRequestOf(guard, request), need).then(
      token => {
        remember(request, token)
        next()
      },
      (error: unknown) => {
        if (!(error instanceof GuardError)) return next(error)
        const { status, headers, body } = answerOf(error)
        response.writeHead(status, headers).end(body)
      },
    )
  }
}
