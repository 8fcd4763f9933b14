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

export const revocationReasons = [
  'owner-revoked',
  'password-changed',
  'account-suspended',
  'member-removed',
  'client-revoked',
  'client-suspended',
  'client-deleted',
  'code-replayed',
  'refresh-replayed',
  'key-compromised',
  'operator',
] as const

/**
 * How far a cutoff reaches past the moment of the revocation, in seconds: the token service issues until it has heard of it, and
 * clocks may differ by as much.
 */
export const cutoffLead = 5

export const tokenRevoked = defineEvent({
  type: 'token.revoked',
  topic: 'revocations',
  // that of an owner is in the stream of the account, and that of a key in the one of its algorithm, where its cause is
  streams: ['{target.kind}-{target.id}', 'account-{target.id}', 'key-{algorithm}'],
  summary: 'Every token that names the target, and was issued until the cutoff, no longer counts.',
  data: z.strictObject({
    target: z
      .strictObject({
        kind: z.enum(revocationTargets).describe('What a token has to name in order to be covered.'),
        id: z
          .string()
          .min(1)
          .max(128)
          .describe('Its id: `jti`, family, grant, `client_id`, `sub`, organization or `kid`.'),
      })
      .describe('Which tokens.'),
    issuedBefore: seconds
      .nullable()
      .describe('Cutoff in seconds: tokens with `iat` <= it are revoked. null: all of them, for good.'),
    reason: z.enum(revocationReasons).describe('Why.'),
    note: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('What the operator said of it, where one revoked; names no person.'),
    cause: uuid
      .nullable()
      .describe(
        'Id of the event, in the same stream, that this revocation follows from; null: it stands for itself.',
      ),
  }),
  example: {
    target: { kind: 'client', id: 'ledgerly' },
    issuedBefore: 1_767_225_605,
    reason: 'client-suspended',
    cause: '0199aa00-0000-7000-8000-0000000000e1',
  },
})
