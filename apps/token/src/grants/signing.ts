import { assertProfilesFit, invalidGrant, type OpaqueTokenKey } from '@grantlog/oauth'
import type { SigningKey } from '../keys/signing-keys.js'
import { type ApiRow, findApi } from '../projections/apis.projection.js'
import type { ClientRow } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'

/** What makes a token: a key that signs JWTs, or the one that seals opaque tokens. */
export type TokenKey = SigningKey | OpaqueTokenKey

/**
 * The key for a client's tokens in the format that the API is registered with; a JWT is signed with its algorithm.
 * @throws OAuthError invalid_target when their profiles do not fit
 */
export function tokenKeyOf(
  api: Pick<ApiRow, 'token_format' | 'signing_alg' | 'profile'>,
  client: ClientRow,
  { keys, opaqueKeys }: TokenServices,
): TokenKey | Promise<TokenKey> {
  assertProfilesFit(client, api)
  return api.token_format === 'opaque' ? opaqueKeys[0] : keys.current(api.signing_alg)
}

/**
 * The key for a token of a grant.
 * @throws OAuthError invalid_grant while the API takes no tokens; invalid_target when the profiles do not fit
 */
export async function signingKeyFor(
  audience: string,
  client: ClientRow,
  services: TokenServices,
): Promise<TokenKey> {
  const api = await findApi(services.db, audience)
  if (api?.suspended) throw invalidGrant('The API takes no tokens at the moment.')
  return tokenKeyOf(api ?? unheardOf, client, services)
}

const unheardOf = { token_format: 'jwt', signing_alg: 'ES256', profile: null } as const
