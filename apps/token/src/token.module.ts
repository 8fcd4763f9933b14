import { createSecretKey } from 'node:crypto'
import { Commands } from '@grantlog/eventing'
import { DpopNonces } from '@grantlog/oauth'
import {
  ClientRequests,
  Clock,
  CONFIG,
  HealthRegistry,
  Limits,
  LOGGER,
  limitReport,
  Metrics,
  UsedOnce,
} from '@grantlog/platform'
import { Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { IntrospectionController } from './http/introspection.controller.js'
import { MetadataController } from './http/metadata.controller.js'
import { RevocationController } from './http/revocation.controller.js'
import { TokenController } from './http/token.controller.js'
import { VerifiedTokens } from './http/verified-tokens.js'
import { createKeyLife } from './keys/create-key-life.js'
import { derivedKey } from './keys/derived-key.js'
import { opaqueTokenKeys } from './keys/opaque-keys.js'
import { SigningKeys } from './keys/signing-keys.js'
import { usedAlgorithms } from './projections/apis.projection.js'
import { findClient } from './projections/clients.projection.js'
import type { TokenConfig } from './token.config.js'
import { TokenServices } from './token-services.js'

/** What is needed of the service's logger. */
interface Log {
  error(facts: { readonly err: Error }, message: string): void
  warn(facts: object, message: string): void
}

@Module({
  controllers: [TokenController, RevocationController, IntrospectionController, MetadataController],
  providers: [
    {
      provide: SigningKeys,
      inject: [CONFIG, DataSource, Commands, Clock, LOGGER],
      useFactory: (config: TokenConfig, db: DataSource, commands: Commands, clock: Clock, logger: Log) => {
        const life = createKeyLife(config, { db, commands, clock })
        return SigningKeys.open(life, {
          algorithms: () => usedAlgorithms(db),
          report: error => logger.error({ err: error }, 'not every signing key can be used'),
        })
      },
    },
    {
      provide: TokenServices,
      inject: [CONFIG, DataSource, Commands, SigningKeys, Clock, Metrics, LOGGER],
      useFactory: (
        config: TokenConfig,
        db: DataSource,
        commands: Commands,
        keys: SigningKeys,
        clock: Clock,
        metrics: Metrics,
        logger: Log,
      ): TokenServices => {
        const { DPOP_NONCE_SECONDS, ISSUER, KEY_ENCRYPTION_KEY } = config
        const dpopNonces =
          DPOP_NONCE_SECONDS === 0
            ? undefined
            : new DpopNonces(derivedKey(KEY_ENCRYPTION_KEY, 'DPoP nonce'), DPOP_NONCE_SECONDS)
        const usedOnce = new UsedOnce(db, () => clock.seconds())
        return {
          config,
          db,
          commands,
          clock,
          keys,
          verifiedTokens: new VerifiedTokens(kid => keys.verificationKey(kid)),
          opaqueKeys: opaqueTokenKeys(KEY_ENCRYPTION_KEY),
          sealKeys: config.CODE_KEYS,
          successorKey: createSecretKey(derivedKey(KEY_ENCRYPTION_KEY, 'refresh token successor')),
          clientRequests: new ClientRequests({
            config,
            limits: new Limits(config, limitReport(metrics, logger)),
            url: ISSUER,
            clock,
            usedOnce,
            find: clientId => findClient(db, clientId),
            dpopNonces,
          }),
          usedOnce,
          dpopNonces,
        }
      },
    },
  ],
})
export class TokenModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly keys: SigningKeys,
    private readonly health: HealthRegistry,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.health.add('signing-keys', async () => this.keys.health())
    this.metrics.gauge(
      {
        name: 'grantlog_signing_key_age_seconds',
        help: 'How long the key that signs has signed. Alarm above KEY_ACTIVE_DAYS and a day: it is not replaced.',
        label: 'algorithm',
      },
      () => this.keys.ages(),
    )
    this.keys.start()
  }

  async onModuleDestroy(): Promise<void> {
    await this.keys.stop()
  }
}
