import { formatScope } from '@grantlog/oauth'
import { accessToken } from '../domain/access-token.js'
import type { TokenServices } from '../token-services.js'
import type { TokenRequest, TokenResponse } from './grant.js'
import { type Issuance, tokenType } from './issuance.js'

/** Stores the only token of a request, one without a refresh token, and answers with it (RFC 6749 §5.1). */
export async function giveSingle(
  token: Issuance,
  { client, boundTo, traceparent }: TokenRequest,
  { commands }: TokenServices,
): Promise<TokenResponse> {
  const { facts } = token
  await commands.run(
    accessToken,
    facts.tokenId,
    { type: 'issue', token: facts },
    { actor: { type: 'client', id: client.client_id }, traceparent, meanwhile: token.sign },
    { state: accessToken.initial, version: 0 }, // the first of its stream
  )
  return {
    access_token: token.sign(),
    token_type: tokenType(boundTo),
    expires_in: facts.expiresAt - facts.issuedAt,
    scope: formatScope(facts.scopes),
  }
}
