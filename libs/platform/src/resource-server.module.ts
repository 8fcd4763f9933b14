import type { JsonWebKey } from 'node:crypto'
import { recordedEvent, services } from '@grantlog/contracts'
import { defineProjection, Eventing, type ProjectionOf, type Subscription } from '@grantlog/eventing'
import { wellKnownPath } from '@grantlog/oauth'
import {
  Freshness,
  Guard,
  importKey,
  type KeySource,
  RevocationSet,
  remoteKeys,
} from '@grantlog/resource-guard'
import { TokenGuard } from '@grantlog/resource-guard/nest'
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common'
import { APP_GUARD, Reflector } from '@nestjs/core'
import type { Logger } from 'pino'
import { DataSource } from 'typeorm'
import {
  type ClientCertificateSettings,
  clientCertificateHeaderSetting,
  clientCertificateOf,
} from './client-certificate.js'
import { Clock } from './clock.js'
import { HealthRegistry } from './health.js'
import { Metrics } from './metrics.js'
import { setting } from './setting.js'
import { CONFIG, LOGGER } from './tokens.js'

const maxTokenLifetimeSeconds = 3600
const clockSkewSeconds = 10

/** The settings of a service that accepts access tokens. */
export const resourceServerSettings = {
  ISSUER: setting.baseUrl({
    describe: 'The issuer whose tokens are accepted: the URL of the token service.',
    example: 'https://auth.example.com',
  }),
  PUBLIC_URL: setting.optional(
    setting.origin({
      describe:
        'The URL under which clients reach this service: DPoP proofs name it (RFC 9449 §4.2). Needed only where tokens bound to a key are to be accepted and the audience is no URL.',
      example: 'https://api.example.com',
    }),
  ),
  CLIENT_CERTIFICATE_HEADER: clientCertificateHeaderSetting,
  MAX_STALENESS_SECONDS: setting.integer({
    min: 2,
    max: 3600,
    describe:
      'When revocations were last heard longer ago than this, no token is accepted (503) until they are heard again.',
    example: '5',
    default: '10',
  }),
}

/** The name under which the platform’s own operator interfaces accept tokens. */
export const platformAudienceSetting = setting.text({
  describe: 'Audience of tokens for the platform’s own operator interfaces.',
  example: 'urn:example:platform',
  default: 'urn:grantlog:platform',
})

interface KeyRow {
  key_id: string
  jwk: JsonWebKey
}

/** The issuer's public keys, learned from events: for a service of the platform, which calls no other. */
export function signingKeysOf(service: string): ProjectionOf<KeyRow> {
  return defineProjection<KeyRow>({
    name: `${service}.signing-keys.v1`,
    security: true,
    table: 'signing_key_view',
    key: 'key_id',
    columns: { key_id: 'text', jwk: 'json not null' },
    on: {
      // before it signs
      'key.announced': {
        key: ({ data }) => data.keyId,
        row: (_, { data }) => ({ key_id: data.keyId, jwk: { ...data.jwk, alg: data.algorithm } }),
      },
      'key.retired': { key: ({ data }) => data.keyId, row: () => undefined },
      'key.compromised': { key: ({ data }) => data.keyId, row: () => undefined },
    },
  })
}

interface Options {
  /** The setting that holds this resource server's audience. */
  readonly audience: string
  /** `events`: from the projection of `signingKeysOf`; `metadata`: from the issuer's metadata, as any resource server may. */
  readonly keys: 'events' | 'metadata'
  /** Every route of the service needs a token, or says that it is public. false: routes ask for `TokenGuard` themselves. */
  readonly everyRoute: boolean
  /** Where this resource’s metadata (RFC 9728) is, from the settings. */
  readonly resourceMetadata?: (config: Record<string, unknown>) => string
}

const EVERY_ROUTE = Symbol('EVERY_ROUTE')

/** Makes a service a resource server: it verifies tokens offline, and follows the revocations of all services. */
@Module({})
export class ResourceServerModule implements OnApplicationBootstrap, OnModuleDestroy {
  #following: Subscription | undefined

  constructor(
    private readonly eventing: Eventing,
    private readonly clock: Clock,
    private readonly revocations: RevocationSet,
    private readonly freshness: Freshness,
    private readonly guard: Guard,
    private readonly health: HealthRegistry,
    private readonly metrics: Metrics,
    @Inject(EVERY_ROUTE) private readonly everyRoute: boolean,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  static forRoot(options: Options): DynamicModule {
    return {
      module: ResourceServerModule,
      providers: [
        {
          provide: RevocationSet,
          inject: [Clock],
          useFactory: (clock: Clock) =>
            new RevocationSet({ maxTokenLifetimeSeconds, clockSkewSeconds, now: () => clock.seconds() }),
        },
        { provide: EVERY_ROUTE, useValue: options.everyRoute },
        { provide: Freshness, useFactory: () => new Freshness(services) },
        {
          provide: Guard,
          inject: [CONFIG, RevocationSet, Freshness, Clock, DataSource],
          useFactory: (
            config: ClientCertificateSettings & Record<string, unknown>,
            revocations: RevocationSet,
            freshness: Freshness,
            clock: Clock,
            db: DataSource,
          ) =>
            new Guard({
              issuer: String(config.ISSUER),
              audience: String(config[options.audience]),
              keys:
                options.keys === 'events'
                  ? keysFromEvents(db)
                  : remoteKeys(() => issuerEndpoint(String(config.ISSUER), 'jwks_uri')),
              revocations,
              freshness,
              maxStalenessSeconds: Number(config.MAX_STALENESS_SECONDS),
              // a proxy's word where one is trusted; otherwise it is this process that ends TLS
              ...(config.CLIENT_CERTIFICATE_HEADER !== undefined && {
                certificateOf: clientCertificateOf(config),
              }),
              ...(config.PUBLIC_URL !== undefined && { baseUrl: String(config.PUBLIC_URL) }),
              ...(options.resourceMetadata && { resourceMetadata: options.resourceMetadata(config) }),
              now: () => clock.now(),
            }),
        },
        {
          provide: TokenGuard,
          inject: [Guard, Reflector],
          useFactory: (guard: Guard, reflector: Reflector) => new TokenGuard(guard, reflector),
        },
        ...(options.everyRoute ? [{ provide: APP_GUARD, useExisting: TokenGuard }] : []),
      ],
      exports: [Guard, TokenGuard, RevocationSet, Freshness],
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    this.health.add('revocations', async () => {
      const { ok, stalenessSeconds } = this.guard.health()
      return {
        // a service with other routes is of use without its operators' ones, which refuse by themselves
        ok: ok || !this.everyRoute,
        detail: stalenessSeconds === null ? 'not read yet' : `heard ${stalenessSeconds.toFixed(1)} s ago`,
      }
    })
    this.#measure()
    const applied = this.metrics.histogram({
      name: 'grantlog_revocation_seconds',
      help: 'Time from a revocation to the moment from which on it is denied here, by the service that revoked.',
      label: 'source',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    })
    // no snapshot is needed: what was revoked before a token's longest life can be on no token that is still valid
    const since = new Date(this.clock.now().getTime() - (maxTokenLifetimeSeconds + clockSkewSeconds) * 1000)
    this.#following = await this.eventing.follow({
      name: 'revocation-set',
      topics: ['revocations'],
      begin: () => ({ at: since }),
      deliver: async ({ events }) => {
        for (const { event } of events) {
          const recorded = recordedEvent(event)
          if (recorded?.type !== 'token.revoked') continue
          this.revocations.apply(recorded.data)
          // what was revoked before this process had begun was nobody's to deny
          if (this.freshness.complete) applied(event.source, this.#secondsSince(event.time))
        }
      },
      alive: (source, time) => this.freshness.alive(source, time),
      trouble: error => this.logger.warn({ err: error }, 'revocations are not heard'),
    })
  }

  /** By two clocks: never less than 0. */
  #secondsSince(time: string): number {
    return Math.max(0, (this.clock.now().getTime() - Date.parse(time)) / 1000)
  }

  async onModuleDestroy(): Promise<void> {
    await this.#following?.stop()
  }

  #measure(): void {
    this.metrics.gauge(
      {
        name: 'grantlog_revocations_staleness_seconds',
        help: 'How long ago the revocations of a source were heard. Alarm above MAX_STALENESS_SECONDS: no token is accepted.',
        label: 'source',
      },
      () => {
        const sources = Object.entries(this.guard.health().sources)
        return new Map(sources.map(([source, seconds]) => [source, seconds ?? Number.POSITIVE_INFINITY]))
      },
    )
    this.metrics.gauge(
      {
        name: 'grantlog_guard_remembered',
        help: 'What is kept in memory to decide about tokens: targets of revocations, and tokens that need not be verified again.',
        label: 'what',
      },
      () => {
        const { remembered, cached } = this.guard.health()
        return new Map([
          ['revocations', remembered],
          ['tokens', cached],
        ])
      },
    )
  }
}

const keyMilliseconds = 60_000

/** Keys never change under their id, but they end: each is read once a minute at most. */
function keysFromEvents(db: DataSource): KeySource {
  const known = new Map<string, { readonly key: ReturnType<typeof importKey>; readonly until: number }>()
  return async keyId => {
    const found = known.get(keyId)
    if (found !== undefined && performance.now() < found.until) return found.key
    known.delete(keyId)
    const [row]: KeyRow[] = await db.query('select * from signing_key_view where key_id = $1', [keyId])
    if (row === undefined) return undefined
    const key = importKey(row.jwk)
    known.set(keyId, { key, until: performance.now() + keyMilliseconds })
    return key
  }
}

/** What the issuer’s metadata says of itself. @throws Error where it can not be read @see RFC 8414 §3 */
export async function issuerEndpoint(issuer: string, name: 'jwks_uri' | 'token_endpoint'): Promise<string> {
  const url = new URL(wellKnownPath(issuer, 'oauth-authorization-server'), issuer)
  const response = await fetch(url, { signal: AbortSignal.timeout(3000), redirect: 'error' })
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  const { issuer: told, [name]: endpoint } = (await response.json()) as Record<string, unknown>
  // RFC 8414 §3.3: the issuer in the document MUST be identical
  if (told !== issuer || typeof endpoint !== 'string')
    throw new Error(`${url} is not the metadata of ${issuer}`)
  return endpoint
}
