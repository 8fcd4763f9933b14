import { Commands, Eventing } from '@grantlog/eventing'
import { DpopNonces, HmacKey } from '@grantlog/oauth'
import {
  ClientRequests,
  Clock,
  CONFIG,
  clientCertificateOf,
  HealthRegistry,
  Limits,
  LOGGER,
  limitReport,
  Metrics,
  UsedOnce,
} from '@grantlog/platform'
import { Guard } from '@grantlog/resource-guard'
import { TokenGuard } from '@grantlog/resource-guard/nest'
import { Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { DataSource } from 'typeorm'
import { IntrospectionController } from './http/introspection.controller.js'
import { MetadataController } from './http/metadata.controller.js'
import { RevocationController } from './http/revocation.controller.js'
import { FeedOpen, RevocationsController } from './http/revocations.controller.js'
import { TokenController } from './http/token.controller.js'
import { verifiedTokens } from './http/verified-tokens.js'
import { createKeyLife } from './keys/create-key-life.js'
import { derivedKey } from './keys/derived-key.js'
import { opaqueTokenKeys } from './keys/opaque-keys.js'
import { SigningKeys } from './keys/signing-keys.js'
import { usedAlgorithms } from './projections/apis.projection.js'
import { findClient } from './projections/clients.projection.js'
import { RevocationFeed } from './revocations/revocation-feed.js'
import type { TokenConfig } from './token.config.js'
import { TokenServices } from './token-services.js'

/** What is needed of the service's logger. */
interface Log {
  error(facts: { readonly err: Error }, message: string): void
  warn(facts: object, message: string): void
}

@Module({
  controllers: [
    TokenController,
    RevocationController,
    RevocationsController,
    IntrospectionController,
    MetadataController,
  ],
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
            : new DpopNonces(new HmacKey(derivedKey(KEY_ENCRYPTION_KEY, 'DPoP nonce')), DPOP_NONCE_SECONDS)
        const usedOnce = new UsedOnce(db, () => clock.seconds())
        return {
          config,
          db,
          commands,
          clock,
          keys,
          verifiedTokens: verifiedTokens(kid => keys.verificationKey(kid)),
          opaqueKeys: opaqueTokenKeys(KEY_ENCRYPTION_KEY),
          sealKeys: config.CODE_KEYS,
          successorKey: new HmacKey(derivedKey(KEY_ENCRYPTION_KEY, 'refresh token successor')),
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
    {
      provide: RevocationFeed,
      inject: [Eventing, Clock, LOGGER],
      useFactory: (eventing: Eventing, clock: Clock, logger: Log) =>
        new RevocationFeed(eventing, clock, error =>
          logger.warn({ err: error }, 'the feed of revocations hears nothing'),
        ),
    },
    {
      provide: Guard,
      inject: [CONFIG, RevocationFeed, SigningKeys, Clock],
      useFactory: (config: TokenConfig, feed: RevocationFeed, keys: SigningKeys, clock: Clock) =>
        new Guard({
          issuer: config.ISSUER,
          audience: config.PLATFORM_AUDIENCE,
          keys: async kid => (await keys.verificationKey(kid))?.publicKey,
          revocations: feed.revocations,
          freshness: feed.freshness,
          baseUrl: new URL(config.ISSUER).origin,
          certificateOf: clientCertificateOf(config),
          now: () => clock.now(),
        }),
    },
    {
      provide: TokenGuard,
      inject: [Guard, Reflector],
      useFactory: (guard: Guard, reflector: Reflector) => new TokenGuard(guard, reflector),
    },
    FeedOpen,
  ],
})
export class TokenModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly keys: SigningKeys,
    private readonly health: HealthRegistry,
    private readonly metrics: Metrics,
    private readonly feed: RevocationFeed,
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
    await this.feed.close()
    await this.keys.stop()
  }
}
