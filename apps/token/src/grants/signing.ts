import { invalidGrant } from '@grantlog/oauth'
import type { SigningKey } from '../keys/signing-keys.js'
import { findApi } from '../projections/apis.projection.js'
import type { TokenServices } from '../token-services.js'

/**
 * The key that signs a token of a grant, with the algorithm that the API is registered with.
 * @throws OAuthError invalid_grant while the API takes no tokens
 */
export async function signingKeyFor(audience: string, { db, keys }: TokenServices): Promise<SigningKey> {
  const api = await findApi(db, audience)
  if (api?.suspended) throw invalidGrant('The API takes no tokens at the moment.')
  return keys.current(api?.signing_alg ?? 'ES256')
}
