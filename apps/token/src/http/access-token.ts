import { isOpaqueToken, type LineageClaim, openOpaqueToken } from '@grantlog/oauth'
import { accessToken } from '../domain/access-token.js'
import { namesOf } from '../domain/exchange.js'
import { family } from '../domain/family.js'
import { isRevoked } from '../projections/revocations.projection.js'
import type { TokenServices } from '../token-services.js'
import { claimsOf, type ReadClaims } from './verified-tokens.js'

export type OwnAccessToken = Omit<ReadClaims, 'iss'>

/**
 * The claims of an access token that we signed or sealed and that has not expired, or undefined for anything else: whatever is wrong with it, it
 * is no token of ours (RFC 7009 §2.2, RFC 7662 §2.2).
 */
export async function readAccessToken(
  token: string,
  { config, verifiedTokens, opaqueKeys, clock }: TokenServices,
): Promise<OwnAccessToken | undefined> {
  const read = isOpaqueToken(token)
    ? claimsOf(openOpaqueToken(token, opaqueKeys))
    : await verifiedTokens.open(token)
  if (read === undefined) return undefined
  const { iss, ...claimed } = read
  return iss === config.ISSUER && claimed.exp > clock.seconds() ? claimed : undefined
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
