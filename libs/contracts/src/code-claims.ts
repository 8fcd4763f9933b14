import { z } from 'zod'
import { audience, clientId, detailsDigest, detailsType, owner, scopes, seconds, uuid } from './fields.js'

/**
 * What the sealed authorization code says to the token service. Because it holds its facts, the token service needs neither
 * a call to the consent service nor its event to have arrived.
 */
export const codeClaims = z.object({
  codeId: uuid.describe('Also the id of the token family.'),
  grantId: uuid,
  clientId,
  redirectUri: z.string().max(1024),
  redirectUriGiven: z
    .boolean()
    .describe('Whether the request named it: then the token request must too (RFC 6749 §4.1.3).'),
  owner,
  person: uuid.describe('Account of the person who approved.'),
  apiId: z.string(),
  audience,
  scopes,
  details: z
    .strictObject({ granted: z.array(z.looseObject({ type: detailsType })), digest: detailsDigest })
    .optional()
    .describe('The authorization details that the person approved (RFC 9396).'),
  codeChallenge: z.string().length(43).describe('PKCE S256 (RFC 7636 §4.2).'),
  dpopThumbprint: z
    .string()
    .length(43)
    .optional()
    .describe('The only key that may redeem it (RFC 9449 §10).'),
  accessTokenSeconds: z.int().positive(),
  issuedAt: seconds.describe('When the code was made.'),
  authTime: seconds.describe('When the person signed in.'),
  grantExpiresAt: seconds.nullable(),
})
export type CodeClaims = z.infer<typeof codeClaims>

/**
 * What the sealed device code (RFC 8628 §3.2) says to the token service: which device it is, whose, and what it asked for in detail.
 * Whether somebody approved is said by `grant.device-approved`, which has the rest.
 */
export const deviceClaims = z.object({
  deviceId: uuid.describe('Also the id of the token family.'),
  clientId,
  details: z
    .array(z.looseObject({ type: detailsType }))
    .optional()
    .describe(
      'The authorization details that were asked for (RFC 9396): of these, events have only the digest.',
    ),
})
export type DeviceClaims = z.infer<typeof deviceClaims>
