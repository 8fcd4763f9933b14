import { z } from 'zod'
import { defineEvent } from '../event.js'
import { seconds, uuid } from '../fields.js'

export const revocationTargets = [
  'token',
  'family',
  'grant',
  'client',
  'owner',
  'organization',
  'key',
] as const

export const tokenRevoked = defineEvent({
  type: 'token.revoked',
  topic: 'revocations',
  summary: 'Every token that names the target, and was issued until the cutoff, no longer counts.',
  data: z.object({
    target: z.object({ kind: z.enum(revocationTargets), id: z.string().min(1).max(128) }),
    issuedBefore: seconds
      .nullable()
      .describe('Cutoff in seconds: tokens with `iat` <= it are revoked. null: all of them, for good.'),
    reason: z.enum([
      'owner-revoked',
      'client-revoked',
      'client-suspended',
      'code-replayed',
      'refresh-replayed',
    ]),
    cause: uuid
      .nullable()
      .describe(
        'Id of the event, in the same stream, that this revocation follows from; null: it stands for itself.',
      ),
  }),
  example: {
    target: { kind: 'grant', id: '0199aa00-0000-7000-8000-0000000000f1' },
    issuedBefore: null,
    reason: 'owner-revoked',
    cause: '0199aa00-0000-7000-8000-0000000000e1',
  },
})
