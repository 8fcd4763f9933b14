import { Commands } from '@grantlog/eventing'
import { parseSealKeys } from '@grantlog/oauth'
import { Clock, CONFIG } from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { deriveSuccessorKey } from './grants/issuance.js'
import { IntrospectionController } from './http/introspection.controller.js'
import { MetadataController } from './http/metadata.controller.js'
import { RevocationController } from './http/revocation.controller.js'
import { TokenController } from './http/token.controller.js'
import { SigningKeys } from './keys/signing-keys.js'
import type { TokenConfig } from './token.config.js'
import { TokenServices } from './token-services.js'

@Module({
  controllers: [TokenController, RevocationController, IntrospectionController, MetadataController],
  providers: [
    {
      provide: TokenServices,
      inject: [CONFIG, DataSource, Commands, Clock],
      useFactory: async (config: TokenConfig, db: DataSource, commands: Commands, clock: Clock) => {
        const keys = await SigningKeys.open(db, commands, config.KEY_ENCRYPTION_KEY)
        const sealKeys = parseSealKeys(config.CODE_KEYS)
        const successorKey = deriveSuccessorKey(config.KEY_ENCRYPTION_KEY)
        return new TokenServices(config, db, commands, keys, sealKeys, successorKey, clock)
      },
    },
  ],
})
export class TokenModule {}
