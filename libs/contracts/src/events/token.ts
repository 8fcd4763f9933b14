import { z } from 'zod'
import { defineEvent } from '../event.js'
import { audience, clientId, grantTypes, owner, scopes, seconds, uuid } from '../fields.js'

const familyId = '0199aa00-0000-7000-8000-0000000000fa'
const grantId = '0199aa00-0000-7000-8000-0000000000f1'
const tokenId = '0199aa00-0000-7000-8000-0000000000a1'

export const codeRedeemed = defineEvent({
  type: 'code.redeemed',
  topic: 'tokens',
  summary: 'An authorization code was exchanged; its token family begins.',
  data: z.object({
    familyId: uuid,
    grantId: uuid,
    clientId,
    owner,
    audience,
    scopes,
    grantExpiresAt: seconds.nullable(),
    refreshExpiresAt: seconds
      .nullable()
      .describe('When the family’s refresh token ends unused; null: there is none.'),
  }),
  example: {
    familyId,
    grantId,
    clientId: 'ledgerly',
    owner: { kind: 'person', id: '0199aa00-0000-7000-8000-0000000000ad' },
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    grantExpiresAt: 1_798_761_600,
    refreshExpiresAt: 1_769_817_600,
  },
})
export const codeReplayed = defineEvent({
  type: 'code.replayed',
  topic: 'tokens',
  summary: 'A code that had been exchanged was presented again; its family is revoked (RFC 6749 §4.1.2).',
  data: z.object({ familyId: uuid, clientId }),
  example: { familyId, clientId: 'ledgerly' },
})
export const tokenIssued = defineEvent({
  type: 'token.issued',
  topic: 'tokens',
  summary: 'An access token was issued.',
  data: z.object({
    tokenId: uuid.describe('The token’s `jti`.'),
    grantType: grantTypes.element,
    clientId,
    familyId: uuid.nullable().describe('null for client credentials.'),
    grantId: uuid.nullable(),
    subject: z.string().max(64).describe('The token’s `sub`: an opaque id.'),
    audience,
    scopes,
    keyId: z.string().max(64),
    issuedAt: seconds,
    expiresAt: seconds,
  }),
  example: {
    tokenId,
    grantType: 'authorization_code',
    clientId: 'ledgerly',
    familyId,
    grantId,
    subject: '0199aa00-0000-7000-8000-0000000000ad',
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    keyId: 'Zx0fYyqSw1v4nTq2',
    issuedAt: 1_767_225_600,
    expiresAt: 1_767_226_200,
  },
})
export const refreshRotated = defineEvent({
  type: 'refresh.rotated',
  topic: 'tokens',
  summary: 'A refresh token was used and replaced by its successor.',
  data: z.object({
    familyId: uuid,
    generation: z.int().positive().describe('How many times the family has rotated.'),
    expiresAt: seconds,
  }),
  example: { familyId, generation: 1, expiresAt: 1_769_817_600 },
})
export const refreshReplayed = defineEvent({
  type: 'refresh.replayed',
  topic: 'tokens',
  summary: 'A refresh token that had been replaced was presented again: theft; its family is revoked.',
  data: z.object({ familyId: uuid, clientId }),
  example: { familyId, clientId: 'ledgerly' },
})
export const keyActivated = defineEvent({
  type: 'key.activated',
  topic: 'keys',
  summary: 'A signing key came into use.',
  data: z.object({
    keyId: z.string().max(64).describe('The `kid`: the key’s JWK thumbprint (RFC 7638).'),
    algorithm: z.literal('ES256'),
    jwk: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  }),
  example: {
    keyId: 'Zx0fYyqSw1v4nTq2',
    algorithm: 'ES256',
    jwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    },
  },
})
