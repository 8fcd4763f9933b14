import type { KeyObject } from 'node:crypto'
import type { Commands } from '@grantlog/eventing'
import type { SealKeys } from '@grantlog/oauth'
import type { Clock } from '@grantlog/platform'
import type { DataSource } from 'typeorm'
import type { SigningKeys } from './keys/signing-keys.js'
import type { TokenConfig } from './token.config.js'

/** What grants and endpoints need. Made once, handed to each. */
export class TokenServices {
  constructor(
    readonly config: TokenConfig,
    readonly db: DataSource,
    readonly commands: Commands,
    readonly keys: SigningKeys,
    readonly sealKeys: SealKeys,
    /** Makes the successor of a refresh token, always the same one. */
    readonly successorKey: KeyObject,
    readonly clock: Clock,
  ) {}
}
