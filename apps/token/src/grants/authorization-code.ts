import { type BoundTo, type CodeClaims, codeClaims } from '@grantlog/contracts'
import { invalidGrant, invalidRequest, narrowedDetails, openCode, verifyCodeVerifier } from '@grantlog/oauth'
import type { TokenServices } from '../token-services.js'
import { beginFamily } from './begin-family.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { assertResource } from './target.js'

/** RFC 6749 §4.1.3, with PKCE (RFC 7636 §4.6). The sealed code holds its facts; one use is the family's first append. */
export const authorizationCode: Grant = {
  type: 'authorization_code',
  takesDetails: true,

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
    const granted = code.details?.granted ?? []
    const details = narrowedDetails(parameters.get('authorization_details'), granted)
    return beginFamily(
      {
        familyId: code.codeId,
        grantId: code.grantId,
        owner: code.owner,
        person: code.person,
        audience: code.audience,
        scopes: code.scopes,
        detailsDigest: code.details?.digest,
        granted,
        details,
        accessTokenSeconds: code.accessTokenSeconds,
        approvedAt: code.issuedAt,
        authTime: code.authTime,
        grantExpiresAt: code.grantExpiresAt,
      },
      { request, grantType: authorizationCode.type, now },
      services,
    )
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
