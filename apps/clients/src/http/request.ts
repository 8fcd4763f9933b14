import { OAuthError, type Parameters, parseParameters } from '@grantlog/oauth'
import { currentTrace, line, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { z } from 'zod'

/** Who commands: the client that the token was issued to. */
export function operatorOf(token: VerifiedToken) {
  return {
    actor: { type: 'operator', id: token.clientId },
    traceparent: currentTrace()?.traceparent,
  } as const
}

/**
 * The page of a list that a URL asks for.
 * @throws Problem 400 that names the parameter
 */
export function readPage(url: string): { after: string; limit: number } {
  const query = queryOf(url, ['after', 'limit'])
  const after = query.get('after') ?? ''
  if (after.length > 64) throw refused("Parameter 'after' is longer than an id.")
  const limit = query.get('limit') ?? '50'
  if (!/^(?:[1-9]\d?|1\d\d|200)$/.test(limit))
    throw refused("Parameter 'limit' must be a whole number from 1 to 200.")
  return { after, limit: Number(limit) }
}

/**
 * Why something is deleted, which a URL says: content of a DELETE "has no generally defined semantics" (RFC 9110 §9.3.5).
 * @throws Problem 400 that names the parameter
 */
export function readReason(url: string): string {
  const given = queryOf(url, ['reason']).get('reason')
  if (given === undefined) throw refused("Parameter 'reason' is missing: say why.")
  const { success, data } = reason.safeParse(given)
  if (!success)
    throw refused(
      "Parameter 'reason' must be one line of 1 to 200 characters, none of which changes the direction of text.",
    )
  return data
}

/** @param known the parameters that there are */
function queryOf(url: string, known: readonly string[]): Parameters {
  const query = strictly(url)
  const unknown = query.names().find(name => !known.includes(name))
  if (unknown === undefined) return query
  const those = `${known.length > 1 ? 'are' : 'is'} ${known.join(' and ')}`
  throw refused(`There is no parameter '${unknown}': there ${those}.`)
}

/** Node's own reader takes what is badly encoded for text. */
function strictly(url: string): Parameters {
  const at = url.indexOf('?')
  try {
    return parseParameters(at < 0 ? '' : url.slice(at + 1))
  } catch (error) {
    throw error instanceof OAuthError ? refused(error.description) : error
  }
}

const refused = (detail: string) => new Problem(400, 'Bad Request', detail)

const reason = line(200)

export const suspension = z.object({
  reason: reason.describe('Why; it is kept in the log and shown to operators.'),
})

export const revocation = z.object({
  reason: reason.describe('Why; it is in the event, and names no person.'),
})
