import { currentTrace, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { z } from 'zod'

/** Who commands: the client that the token was issued to. */
export function operatorOf(token: VerifiedToken) {
  return {
    actor: { type: 'operator', id: token.clientId },
    traceparent: currentTrace()?.traceparent,
  } as const
}

const pageQuery = z.strictObject({
  after: z.string('is given twice').max(64, 'is longer than an id').default(''),
  limit: z
    .string('is given twice')
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .refine(limit => limit >= 1 && limit <= 200, 'must be a whole number from 1 to 200')
    .default(50),
})

/** @throws Problem 400 that names the parameter */
export function readPage(query: unknown): z.infer<typeof pageQuery> {
  const result = pageQuery.safeParse(query)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const detail =
    issue?.code === 'unrecognized_keys'
      ? `There is no parameter “${issue.keys[0]}”: there are after and limit.`
      : `Parameter “${issue?.path.join('.')}” ${issue?.message}.`
  throw new Problem(400, 'Bad Request', detail)
}

export const suspension = z.object({
  reason: z.string().trim().min(1).max(200).describe('Why; it is kept in the log and shown to operators.'),
})
