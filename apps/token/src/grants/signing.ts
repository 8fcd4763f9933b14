import { invalidGrant, type OpaqueTokenKey } from '@grantlog/oauth'
import type { SigningKey } from '../keys/signing-keys.js'
import { type ApiRow, findApi } from '../projections/apis.projection.js'
import type { TokenServices } from '../token-services.js'

/** What makes a token: a key that signs JWTs, or the one that seals opaque tokens. */
export type TokenKey = SigningKey | OpaqueTokenKey

/** The key for tokens in the format that the API is registered with; a JWT is signed with its algorithm. */
export async function tokenKeyOf(
  api: Pick<ApiRow, 'token_format' | 'signing_alg'>,
  { keys, opaqueKeys }: TokenServices,
): Promise<TokenKey> {
  return api.token_format === 'opaque' ? opaqueKeys[0] : keys.current(api.signing_alg)
}

/**
 * The key for a token of a grant.
 * @throws OAuthError invalid_grant while the API takes no tokens
 */
export async function signingKeyFor(audience: string, services: TokenServices): Promise<TokenKey> {
  const api = await findApi(services.db, audience)
  if (api?.suspended) throw invalidGrant('The API takes no tokens at the moment.')
  return tokenKeyOf(api ?? { token_format: 'jwt', signing_alg: 'ES256' }, services)
}
