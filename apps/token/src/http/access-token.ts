import { isOpaqueToken, type LineageClaim, openOpaqueToken } from '@grantlog/oauth'
import { z } from 'zod'
import { accessToken } from '../domain/access-token.js'
import { namesOf } from '../domain/exchange.js'
import { family } from '../domain/family.js'
import { isRevoked } from '../projections/revocations.projection.js'
import type { TokenServices } from '../token-services.js'

const act = z.object({
  sub: z.string(),
  get act() {
    return act.optional()
  },
})
const names = z.object({
  jti: z.uuid(),
  sub: z.string(),
  client_id: z.string(),
  iat: z.number(),
  family: z.uuid().optional(),
  grant: z.uuid().optional(),
  organization: z.uuid().optional(),
})
const claims = names.extend({
  iss: z.string(),
  aud: z.string(),
  scope: z.string(),
  exp: z.number(),
  auth_time: z.number().optional(),
  cnf: z.object({ jkt: z.string(), 'x5t#S256': z.string() }).partial().optional(),
  act: act.optional(),
  authorization_details: z.array(z.looseObject({ type: z.string() })).optional(),
  lineage: z.array(names.extend({ kid: z.string() })).optional(),
})
export type OwnAccessToken = Omit<z.infer<typeof claims>, 'iss'> & {
  /** The id of the key that signed or sealed it. */
  readonly kid: string
}

/**
 * The claims of an access token that we signed or sealed and that has not expired, or undefined for anything else: whatever is wrong with it, it
 * is no token of ours (RFC 7009 §2.2, RFC 7662 §2.2).
 */
export async function readAccessToken(
  token: string,
  { config, verifiedTokens, opaqueKeys, clock }: TokenServices,
): Promise<OwnAccessToken | undefined> {
  const opened = isOpaqueToken(token) ? openOpaqueToken(token, opaqueKeys) : await verifiedTokens.open(token)
  const read = claims.safeParse(opened?.claims)
  if (opened === undefined || !read.success) return undefined
  const { iss, ...claimed } = read.data
  if (iss !== config.ISSUER || claimed.exp <= clock.seconds()) return undefined
  return { ...claimed, kid: opened.kid }
}

/** The same, but of a token that still counts: neither it nor any token that it was made of is revoked, by whatever name. */
export async function readActiveAccessToken(
  token: string,
  services: TokenServices,
): Promise<OwnAccessToken | undefined> {
  const claims = await readAccessToken(token, services)
  if (claims === undefined) return undefined
  const revoked = await Promise.all(
    [namesOf(claims), ...(claims.lineage ?? [])].map(each => isTokenRevoked(each, services)),
  )
  return revoked.includes(true) ? undefined : claims
}

/** As the streams say it, without delay; and what other services said. */
async function isTokenRevoked(token: LineageClaim, { commands, db }: TokenServices): Promise<boolean> {
  const [own, ofFamily, elsewhere] = await Promise.all([
    commands.load(accessToken, token.jti),
    token.family === undefined ? undefined : commands.load(family, token.family),
    isRevoked(db, {
      clientId: token.client_id,
      grantId: token.grant ?? null,
      subject: token.sub,
      organizationId: token.organization ?? null,
      keyId: token.kid,
      issuedAt: token.iat,
    }),
  ])
  return own.state.revoked || elsewhere || ofFamily?.state.status === 'revoked'
}
