import { type BoundTo, timeOrderedId } from '@grantlog/contracts'
import { type AuthorizationDetail, invalidGrant } from '@grantlog/oauth'
import { type FamilyFacts, family, refreshEnd } from '../domain/family.js'
import { type Revocable, unlessRevoked } from '../projections/revocations.projection.js'
import type { TokenConfig } from '../token.config.js'
import type { TokenServices } from '../token-services.js'
import { keepDetails } from './family-details.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { createRefreshToken, extent, issue, tokenType } from './issuance.js'
import { signingKeyFor } from './signing.js'

/** What a person approved, however the token service learnt of it: a code, or a device's. Times are seconds. */
export interface Approved
  extends Pick<
    FamilyFacts,
    | 'familyId'
    | 'grantId'
    | 'owner'
    | 'person'
    | 'audience'
    | 'scopes'
    | 'accessTokenSeconds'
    | 'authTime'
    | 'grantExpiresAt'
  > {
  readonly detailsDigest: string | undefined
  /** All authorization details that were approved; and those of them that the first token is for. */
  readonly granted: readonly AuthorizationDetail[]
  readonly details: readonly AuthorizationDetail[]
  readonly approvedAt: number
}

/**
 * Begins the token family of an approval. One use is the family's first append: whoever comes again ends it.
 * @throws OAuthError invalid_grant when what was approved was used, revoked or has expired
 */
export async function beginFamily(
  approved: Approved,
  { request, grantType, now }: { request: TokenRequest; grantType: Grant['type']; now: number },
  services: TokenServices,
): Promise<TokenResponse> {
  const { client, boundTo, traceparent } = request
  const { familyId, scopes, details } = approved
  const refusal = () =>
    invalidGrant('The grant has been revoked or has expired.', `grant ${approved.grantId}`)
  if (approved.grantExpiresAt !== null && approved.grantExpiresAt <= now) throw refusal()
  // it was true when it was approved; what was revoked since counts
  const allowed = unlessRevoked(services.db, revocable(approved, client.client_id), refusal)
  const key = await signingKeyFor(approved.audience, client, services)
  const refresh = client.grant_types.includes('refresh_token') ? createRefreshToken(familyId) : undefined
  const facts = factsOf(approved, {
    clientId: client.client_id,
    // a confidential client's refresh token is bound to the client itself
    boundTo: client.auth_method === 'none' ? (boundTo ?? null) : null,
    now,
    limits: refresh && services.config,
  })
  const token = issue({
    issuer: services.config.ISSUER,
    key,
    now,
    lifetimeSeconds: approved.accessTokenSeconds,
    grantType,
    clientId: client.client_id,
    subject: approved.person,
    audience: approved.audience,
    scopes,
    details,
    boundTo,
    family: { ...facts, organizationId: organizationOf(approved) },
  })
  if (refresh !== undefined && facts.detailsDigest !== undefined) {
    await allowed.assertAllowed() // for what is not, nothing is kept beside the log
    await keepDetails(facts, approved.granted, services)
  }
  const { events } = await services.commands.run(
    family,
    familyId,
    {
      type: 'redeem',
      facts,
      refreshHash: refresh?.hash ?? null,
      token: token.facts,
      causeId: timeOrderedId(),
    },
    {
      actor: { type: 'client', id: client.client_id },
      traceparent,
      unlessBarred: allowed,
      meanwhile: token.sign,
    },
    { state: family.initial, version: 0 }, // the first of its stream
  )
  if (!events.some(event => event.type === 'token.issued')) {
    throw invalidGrant(
      'The code was used before: every token that came of it is revoked.',
      `family ${familyId}`,
    )
  }
  return {
    access_token: token.sign(),
    token_type: tokenType(boundTo),
    expires_in: token.facts.expiresAt - now,
    ...extent(scopes, details),
    ...(refresh && { refresh_token: refresh.token }),
  }
}

function revocable(approved: Approved, clientId: string): Revocable {
  return {
    clientId,
    grantId: approved.grantId,
    subject: approved.person,
    organizationId: organizationOf(approved) ?? null,
    issuedAt: approved.approvedAt,
  }
}

function factsOf(
  approved: Approved,
  by: {
    readonly clientId: string
    readonly boundTo: BoundTo | null
    readonly now: number
    /** undefined where there is no refresh token */
    readonly limits: Pick<TokenConfig, 'REFRESH_TOKEN_SECONDS' | 'REFRESH_FAMILY_SECONDS'> | undefined
  },
): FamilyFacts {
  const { grantExpiresAt, detailsDigest } = approved
  const { limits, now } = by
  const familyExpiresAt = limits
    ? Math.min(now + limits.REFRESH_FAMILY_SECONDS, grantExpiresAt ?? Number.POSITIVE_INFINITY)
    : null
  return {
    familyId: approved.familyId,
    grantId: approved.grantId,
    clientId: by.clientId,
    owner: approved.owner,
    audience: approved.audience,
    scopes: approved.scopes,
    ...(detailsDigest !== undefined && { detailsDigest }),
    grantExpiresAt,
    refreshExpiresAt: limits ? refreshEnd(now, limits.REFRESH_TOKEN_SECONDS, familyExpiresAt) : null,
    familyExpiresAt,
    person: approved.person,
    authTime: approved.authTime,
    accessTokenSeconds: approved.accessTokenSeconds,
    startedAt: now,
    boundTo: by.boundTo,
  }
}

function organizationOf({ owner }: Approved): string | undefined {
  return owner.kind === 'organization' ? owner.id : undefined
}
