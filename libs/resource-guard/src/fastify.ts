import type { Guard, Need } from './guard.js'
import { GuardError } from './guard-error.js'
import { answerOf, type HttpRequest, remember, tokenRequestOf } from './http.js'

export { tokenOf } from './http.js'

interface Reply {
  code(status: number): Reply
  headers(values: Record<string, string>): Reply
  send(body: string): Reply
}

/**
 * A hook for `onRequest` or `preHandler`, of a route or of all: it lets through who has a good token. Handlers read it by
 * `tokenOf(request)`.
 *
 * @example app.get('/notes', { onRequest: requireToken(guard, { scope: ['notes:read'] }) }, request => tokenOf(request).owner)
 */
export function requireToken(
  guard: Guard,
  need?: Need,
): (request: HttpRequest, reply: Reply) => Promise<Reply | undefined> {
  return async (request, reply) => {
    try {
      remember(request, await guard.verify(tokenRequestOf(guard, request), need))
      return undefined
    } catch (error) {
      if (!(error instanceof GuardError)) throw error
      const { status, headers, body } = answerOf(error)
      return reply.code(status).headers(headers).send(body)
    }
  }
}
