import { z } from 'zod'
import type { Registration } from '../domain/client.js'
import { audience } from './audience.js'
import { jwks, readPublicKeys, shownKeys } from './client-proof.js'
import { readScopes } from './read-scopes.js'
import { unique } from './wrong-member.js'

/** Whose assertions a client may present as grants (RFC 7523 §2.1). The members are ours: no RFC names any. */
export const trustedIssuers = z
  .array(
    z.strictObject({
      issuer: z.string().min(1).max(512),
      jwks,
      audience,
      scope: z.string().min(1).max(2000),
    }),
  )
  .min(1)
  .max(20)

type TrustedIssuers = NonNullable<Registration['jwtBearer']>

/** @throws Problem 400 that points at the member */
export function readTrustedIssuers(issuers: z.infer<typeof trustedIssuers>): TrustedIssuers {
  unique(
    '/jwt_bearer',
    issuers.map(({ issuer, audience }) => JSON.stringify([issuer, audience])),
  )
  return issuers.map(({ issuer, jwks, audience, scope }, index) => ({
    issuer,
    keys: readPublicKeys(`/jwt_bearer/${index}/jwks`, jwks),
    audience,
    scopes: readScopes(`/jwt_bearer/${index}/scope`, scope),
  }))
}

export function shownTrustedIssuers(issuers: TrustedIssuers) {
  return issuers.map(({ issuer, keys, audience, scopes }) => ({
    issuer,
    jwks: shownKeys(keys),
    audience,
    scope: scopes.join(' '),
  }))
}
