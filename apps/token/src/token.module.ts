import { Commands } from '@grantlog/eventing'
import { DpopNonces, parseSealKeys } from '@grantlog/oauth'
import { ClientRequests, Clock, CONFIG, UsedOnce } from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { IntrospectionController } from './http/introspection.controller.js'
import { MetadataController } from './http/metadata.controller.js'
import { RevocationController } from './http/revocation.controller.js'
import { TokenController } from './http/token.controller.js'
import { derivedKey } from './keys/derived-key.js'
import { SigningKeys } from './keys/signing-keys.js'
import { findClient } from './projections/clients.projection.js'
import type { TokenConfig } from './token.config.js'
import { TokenServices } from './token-services.js'

@Module({
  controllers: [TokenController, RevocationController, IntrospectionController, MetadataController],
  providers: [
    {
      provide: TokenServices,
      inject: [CONFIG, DataSource, Commands, Clock],
      useFactory: async (
        config: TokenConfig,
        db: DataSource,
        commands: Commands,
        clock: Clock,
      ): Promise<TokenServices> => {
        const { DPOP_NONCE_SECONDS, ISSUER, KEY_ENCRYPTION_KEY } = config
        const dpopNonces =
          DPOP_NONCE_SECONDS === 0
            ? undefined
            : new DpopNonces(derivedKey(KEY_ENCRYPTION_KEY, 'DPoP nonce'), DPOP_NONCE_SECONDS)
        return {
          config,
          db,
          commands,
          clock,
          keys: await SigningKeys.open(db, commands, KEY_ENCRYPTION_KEY),
          sealKeys: parseSealKeys(config.CODE_KEYS),
          successorKey: derivedKey(KEY_ENCRYPTION_KEY, 'refresh token successor'),
          clientRequests: new ClientRequests({
            config,
            url: ISSUER,
            clock,
            usedOnce: new UsedOnce(db, () => clock.seconds()),
            find: clientId => findClient(db, clientId),
            dpopNonces,
          }),
          dpopNonces,
        }
      },
    },
  ],
})
export class TokenModule {}
