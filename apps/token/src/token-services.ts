import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Commands } from '@grantlog/eventing'
import type { DpopNonces, SealKeys } from '@grantlog/oauth'
import type { Clock, UsedOnce } from '@grantlog/platform'
import type { FastifyRequest } from 'fastify'
import type { DataSource } from 'typeorm'
import type { Limits } from './http/limits.js'
import type { SigningKeys } from './keys/signing-keys.js'
import type { TokenConfig } from './token.config.js'

/** What grants and endpoints need. Made once, handed to each. */
export abstract class TokenServices {
  abstract readonly config: TokenConfig
  abstract readonly db: DataSource
  abstract readonly commands: Commands
  abstract readonly clock: Clock
  abstract readonly keys: SigningKeys
  abstract readonly sealKeys: SealKeys
  /** Makes the successor of a refresh token, always the same one. */
  abstract readonly successorKey: KeyObject
  /** How much one sender may ask. */
  abstract readonly limits: Limits
  /** Ids of assertions and proofs. */
  abstract readonly usedOnce: UsedOnce
  /** Where DPoP proofs must have a nonce. */
  abstract readonly dpopNonces: DpopNonces | undefined
  /** What certificate the client of a request proved to hold. */
  abstract readonly certificateOf: (request: FastifyRequest) => X509Certificate | undefined
}
