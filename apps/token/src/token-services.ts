import type { Commands } from '@grantlog/eventing'
import type { DpopNonces, HmacKey, SealKeys, VerifiedTokens } from '@grantlog/oauth'
import type { ClientRequests, Clock, UsedOnce } from '@grantlog/platform'
import type { DataSource } from 'typeorm'
import type { ReadClaims } from './http/verified-tokens.js'
import type { OpaqueTokenKeys } from './keys/opaque-keys.js'
import type { SigningKeys } from './keys/signing-keys.js'
import type { ClientRow } from './projections/clients.projection.js'
import type { TokenConfig } from './token.config.js'

/** What grants and endpoints need. Made once, handed to each. */
export abstract class TokenServices {
  abstract readonly config: TokenConfig
  abstract readonly db: DataSource
  abstract readonly commands: Commands
  abstract readonly clock: Clock
  abstract readonly keys: SigningKeys
  /** Reads access tokens that are JWTs. */
  abstract readonly verifiedTokens: VerifiedTokens<ReadClaims>
  abstract readonly opaqueKeys: OpaqueTokenKeys
  abstract readonly sealKeys: SealKeys
  /** Makes the successor of a refresh token, always the same one. */
  abstract readonly successorKey: HmacKey
  abstract readonly clientRequests: ClientRequests<ClientRow>
  /** What may be presented once. */
  abstract readonly usedOnce: UsedOnce
  /** Where DPoP proofs must have a nonce. */
  abstract readonly dpopNonces: DpopNonces | undefined
}
