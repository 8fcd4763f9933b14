import { randomUUID } from 'node:crypto'
import { type BoundTo, type CodeClaims, codeClaims } from '@grantlog/contracts'
import { formatScope, invalidGrant, invalidRequest, openCode, verifyCodeVerifier } from '@grantlog/oauth'
import { type FamilyFacts, family, refreshEnd } from '../domain/family.js'
import { isRevoked } from '../projections/revocations.projection.js'
import type { TokenConfig } from '../token.config.js'
import type { TokenServices } from '../token-services.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { createRefreshToken, issue, tokenType } from './issuance.js'
import { signingKeyFor } from './signing.js'
import { assertResource } from './target.js'

/** RFC 6749 §4.1.3, with PKCE (RFC 7636 §4.6). The sealed code holds its facts; one use is the family's first append. */
export const authorizationCode: Grant = {
  type: 'authorization_code',

  async handle(request: TokenRequest, services: TokenServices): Promise<TokenResponse> {
    const { client, parameters } = request
    const verifier = parameters.require('code_verifier')
    const now = services.clock.seconds()
    const code = await readCode(parameters.require('code'), services, now)

    // RFC 6749 §4.1.3: "ensure that the authorization code was issued to the authenticated … client"
    if (code.clientId !== client.client_id) throw invalidGrant('The code was issued to another client.')
    assertRedirectUri(code, parameters.get('redirect_uri'))
    verifyCodeVerifier(verifier, code.codeChallenge)
    assertKey(code, request.boundTo)
    assertResource(parameters, code.audience)
    const [key] = await Promise.all([
      signingKeyFor(code.audience, services),
      assertAllowed(code, services, now),
    ])

    const refresh = client.grant_types.includes('refresh_token') ? createRefreshToken(code.codeId) : undefined
    // a confidential client's refresh token is bound to the client itself
    const boundTo = client.auth_method === 'none' ? (request.boundTo ?? null) : null
    const facts = factsOf(code, boundTo, now, refresh && services.config)
    const token = issue({
      issuer: services.config.ISSUER,
      key,
      now,
      lifetimeSeconds: code.accessTokenSeconds,
      grantType: 'authorization_code',
      clientId: code.clientId,
      subject: code.person,
      audience: code.audience,
      scopes: code.scopes,
      boundTo: request.boundTo,
      family: { ...facts, organizationId: code.owner.kind === 'organization' ? code.owner.id : undefined },
    })
    const { events } = await services.commands.run(
      family,
      code.codeId,
      {
        type: 'redeem',
        facts,
        refreshHash: refresh?.hash ?? null,
        token: token.facts,
        causeId: randomUUID(),
      },
      { actor: { type: 'client', id: code.clientId }, traceparent: request.traceparent },
      { state: family.initial, version: 0 }, // the first of its stream
    )
    if (!events.some(event => event.type === 'token.issued')) {
      throw invalidGrant(
        'The code was used before: every token that came of it is revoked.',
        `family ${code.codeId}`,
      )
    }
    return {
      access_token: token.sign(),
      token_type: tokenType(request.boundTo),
      expires_in: token.facts.expiresAt - now,
      scope: formatScope(code.scopes),
      ...(refresh && { refresh_token: refresh.token }),
    }
  },
}

async function readCode(code: string, services: TokenServices, now: number): Promise<CodeClaims> {
  const claims = codeClaims.safeParse(await openCode(code, services.sealKeys, { now }))
  if (!claims.success)
    throw invalidGrant('The authorization code is invalid or has expired.', claims.error.message)
  return claims.data
}

// RFC 9449 §10: the key whose thumbprint the authorization request named, and no other
function assertKey({ dpopThumbprint }: CodeClaims, boundTo: BoundTo | undefined): void {
  if (dpopThumbprint === undefined) return
  if (boundTo?.kind !== 'dpop' || boundTo.thumbprint !== dpopThumbprint)
    throw invalidGrant('The code is bound to a key: the request does not prove that it has it.')
}

// RFC 6749 §4.1.3: redirect_uri is REQUIRED if the authorization request included it, "and their values MUST be identical".
function assertRedirectUri(code: CodeClaims, presented: string | undefined): void {
  if (presented === undefined && code.redirectUriGiven)
    throw invalidRequest("Parameter 'redirect_uri' is missing.")
  if (presented !== undefined && presented !== code.redirectUri) {
    throw invalidGrant("Parameter 'redirect_uri' differs from the authorization request's.")
  }
}

/** The code says what was true when it was made; what was revoked since counts. */
async function assertAllowed(code: CodeClaims, { db }: TokenServices, now: number): Promise<void> {
  const revoked = await isRevoked(db, {
    clientId: code.clientId,
    grantId: code.grantId,
    subject: code.person,
    organizationId: code.owner.kind === 'organization' ? code.owner.id : null,
    issuedAt: code.issuedAt,
  })
  if (revoked || (code.grantExpiresAt !== null && code.grantExpiresAt <= now)) {
    throw invalidGrant('The grant has been revoked or has expired.', `grant ${code.grantId}`)
  }
}

type Limits = Pick<TokenConfig, 'REFRESH_TOKEN_SECONDS' | 'REFRESH_FAMILY_SECONDS'>

function factsOf(
  code: CodeClaims,
  boundTo: BoundTo | null,
  now: number,
  /** undefined where there is no refresh token */
  limits: Limits | undefined,
): FamilyFacts {
  const familyExpiresAt = limits
    ? Math.min(now + limits.REFRESH_FAMILY_SECONDS, code.grantExpiresAt ?? Number.POSITIVE_INFINITY)
    : null
  return {
    familyId: code.codeId,
    grantId: code.grantId,
    clientId: code.clientId,
    owner: code.owner,
    audience: code.audience,
    scopes: code.scopes,
    grantExpiresAt: code.grantExpiresAt,
    refreshExpiresAt: limits ? refreshEnd(now, limits.REFRESH_TOKEN_SECONDS, familyExpiresAt) : null,
    familyExpiresAt,
    person: code.person,
    authTime: code.authTime,
    accessTokenSeconds: code.accessTokenSeconds,
    startedAt: now,
    boundTo,
  }
}
