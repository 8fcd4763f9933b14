import { z } from 'zod'
import { defineEvent } from '../event.js'
import {
  audience,
  boundTo,
  clientId,
  detailsDigest,
  familyId,
  grantId,
  grantType,
  owner,
  publicJwk,
  scopes,
  seconds,
  signingAlgorithm,
  uuid,
} from '../fields.js'

const aFamily = '0199aa00-0000-7000-8000-0000000000fa'
const aGrant = '0199aa00-0000-7000-8000-0000000000f1'
const aToken = '0199aa00-0000-7000-8000-0000000000a1'

export const codeRedeemed = defineEvent({
  type: 'code.redeemed',
  topic: 'tokens',
  streams: ['family-{familyId}'],
  summary:
    'An authorization code, or the code of a device (RFC 8628), was exchanged; its token family begins.',
  data: z.strictObject({
    familyId,
    grantId,
    clientId,
    owner,
    audience,
    scopes,
    detailsDigest: detailsDigest.optional(),
    grantExpiresAt: seconds
      .nullable()
      .describe('When the grant ends by itself, in seconds; null: only by revocation.'),
    refreshExpiresAt: seconds
      .nullable()
      .describe('When the family’s refresh token ends unused, in seconds; null: there is none.'),
    familyExpiresAt: seconds
      .nullable()
      .describe(
        'When the family ends however often it is refreshed, in seconds; null: it has no refresh token, and ends with its access token.',
      ),
  }),
  example: {
    familyId: aFamily,
    grantId: aGrant,
    clientId: 'ledgerly',
    owner: { kind: 'person', id: '0199aa00-0000-7000-8000-0000000000ad' },
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    detailsDigest: 'Fq0sXl1T3vZ5n2mB8cJ7yH4kR9wP6uD0eA2gS1iO5tY',
    grantExpiresAt: 1_798_761_600,
    refreshExpiresAt: 1_769_817_600,
    familyExpiresAt: 1_775_001_600,
  },
})
export const codeReplayed = defineEvent({
  type: 'code.replayed',
  topic: 'tokens',
  streams: ['family-{familyId}'],
  summary: 'A code that had been exchanged was presented again; its family is revoked (RFC 6749 §4.1.2).',
  data: z.strictObject({ familyId, clientId }),
  example: { familyId: aFamily, clientId: 'ledgerly' },
})
export const tokenIssued = defineEvent({
  type: 'token.issued',
  topic: 'tokens',
  streams: ['family-{familyId}', 'token-{tokenId}'],
  summary: 'An access token was issued.',
  data: z.strictObject({
    tokenId: uuid.describe('The token’s `jti`.'),
    grantType,
    clientId,
    familyId: familyId
      .nullable()
      .describe('The token family; null for client credentials, and for what they are exchanged for.'),
    grantId: grantId.nullable().describe('The grant; null where there is no family.'),
    subject: z.string().max(64).describe('The token’s `sub`: an opaque id.'),
    audience,
    scopes,
    keyId: z
      .string()
      .max(64)
      .describe(
        'The `kid` of the key that signed the token, or the name of the one that sealed it (opaque).',
      ),
    issuedAt: seconds.describe('The token’s `iat`, in seconds.'),
    expiresAt: seconds.describe('The token’s `exp`, in seconds.'),
    boundTo: boundTo.optional(),
    refresh: z
      .strictObject({
        generation: z
          .int()
          .nonnegative()
          .describe(
            'How many times the family has rotated: once more than before, or as often where the token stays, as the client’s profile asks for (FAPI 2.0).',
          ),
        expiresAt: seconds.describe('When it ends unused, in seconds.'),
      })
      .optional()
      .describe('Where a refresh token was used up for it: the one that is the family’s from then on.'),
    assertedBy: z
      .string()
      .max(512)
      .optional()
      .describe('Who said, by an assertion (RFC 7523), that the token may be had: its `iss`.'),
    exchange: z
      .strictObject({
        subjectTokenId: uuid.describe('The `jti` of the token that was exchanged.'),
        actorTokenId: uuid
          .nullable()
          .describe('The `jti` of the token that named the actor; null: there was none.'),
        actors: z
          .array(z.string().max(64))
          .describe(
            'Who acts for the subject, the current actor first (RFC 8693 §4.1); none: nobody but it.',
          ),
      })
      .optional()
      .describe(
        'Where the token was made of another (RFC 8693): it is in a stream of its own, also where it has a family.',
      ),
  }),
  example: {
    tokenId: aToken,
    grantType: 'authorization_code',
    clientId: 'ledgerly',
    familyId: aFamily,
    grantId: aGrant,
    subject: '0199aa00-0000-7000-8000-0000000000ad',
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    keyId: 'Zx0fYyqSw1v4nTq2',
    issuedAt: 1_767_225_600,
    expiresAt: 1_767_226_200,
    boundTo: { kind: 'dpop', thumbprint: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' },
  },
})
export const refreshReplayed = defineEvent({
  type: 'refresh.replayed',
  topic: 'tokens',
  streams: ['family-{familyId}'],
  summary:
    'A refresh token was presented by somebody who may not use it, or after it was replaced: theft; its family is revoked.',
  data: z.strictObject({ familyId, clientId }),
  example: { familyId: aFamily, clientId: 'ledgerly' },
})
export const familyExpired = defineEvent({
  type: 'family.expired',
  topic: 'tokens',
  streams: ['family-{familyId}'],
  summary:
    'A family’s last refresh token has expired: nothing new comes of it. Its access tokens end at their own `exp`, so nobody is told to refuse them: there is no `token.revoked`.',
  data: z.strictObject({
    familyId,
    clientId,
    grantId,
    cause: z
      .enum(['idle', 'absolute', 'grant'])
      .describe(
        'Why: nobody refreshed in time (`idle`), the family reached its greatest age (`absolute`), or its grant’s end (`grant`).',
      ),
  }),
  example: { familyId: aFamily, clientId: 'ledgerly', grantId: aGrant, cause: 'idle' },
})

const keyId = z.string().max(64).describe('The `kid`: the key’s JWK thumbprint (RFC 7638).')
const aKey = { keyId: 'Zx0fYyqSw1v4nTq2', algorithm: 'ES256' } as const

export const keyAnnounced = defineEvent({
  type: 'key.announced',
  topic: 'keys',
  streams: ['key-{algorithm}'],
  summary: 'A signing key was made: whoever verifies tokens can know it before the first one that it signs.',
  data: z.strictObject({
    keyId,
    algorithm: signingAlgorithm,
    jwk: publicJwk,
    activeFrom: seconds.describe('From when it signs, in seconds: it takes over from the one before.'),
    activeUntil: seconds.describe('Until when it is meant to sign, in seconds: then its successor does.'),
  }),
  example: {
    ...aKey,
    jwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    },
    activeFrom: 1_767_225_600,
    activeUntil: 1_775_001_600,
  },
})
export const keyActivated = defineEvent({
  type: 'key.activated',
  topic: 'keys',
  streams: ['key-{algorithm}'],
  summary: 'A signing key came into use.',
  data: z.strictObject({ keyId, algorithm: signingAlgorithm }),
  example: aKey,
})
export const keyRetired = defineEvent({
  type: 'key.retired',
  topic: 'keys',
  streams: ['key-{algorithm}'],
  summary:
    'The last token that a replaced signing key signed has expired: nothing is verified with it any more.',
  data: z.strictObject({ keyId, algorithm: signingAlgorithm }),
  example: aKey,
})
export const keyCompromised = defineEvent({
  type: 'key.compromised',
  topic: 'keys',
  streams: ['key-{algorithm}'],
  summary:
    'Somebody else may have a signing key: it signs no more, and everything that it signed is revoked.',
  data: z.strictObject({
    keyId,
    algorithm: signingAlgorithm,
    reason: z.string().max(200).nullable().describe('Why, in the operator’s words; names no person.'),
  }),
  example: { ...aKey, reason: 'a backup was stolen' },
})
