import { CONFIG, type createLogger, issuerEndpoint, LOGGER, Metrics } from '@grantlog/platform'
import {
  clientToken,
  Freshness,
  type Reports,
  RevocationSet,
  reportOutcomes,
  reportPositions,
} from '@grantlog/resource-guard'
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common'
import type { ResourceConfig } from '../resource.config.js'

/** Reports how far this process has applied the revocations, where it is told whom to report to. */
@Injectable()
export class PositionReports implements OnApplicationBootstrap, OnModuleDestroy {
  #reports: Reports | undefined

  constructor(
    private readonly revocations: RevocationSet,
    private readonly freshness: Freshness,
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: ResourceConfig,
    @Inject(LOGGER) private readonly logger: ReturnType<typeof createLogger>,
  ) {}

  /** Seconds since a report was accepted; null: none was; undefined: it is to report to nobody. */
  get reportedSeconds(): number | null | undefined {
    return this.#reports?.reportedSeconds
  }

  onApplicationBootstrap(): void {
    const { ISSUER, AUDIENCE, PLATFORM_AUDIENCE } = this.config
    const { POSITIONS_ENDPOINT: url, POSITIONS_CLIENT_ID, POSITIONS_CLIENT_SECRET } = this.config
    if (url === undefined) return
    this.#reports = reportPositions({
      url,
      accessToken: clientToken({
        tokenEndpoint: () => issuerEndpoint(ISSUER, 'token_endpoint'),
        clientId: POSITIONS_CLIENT_ID ?? '',
        clientSecret: POSITIONS_CLIENT_SECRET ?? '',
        resource: PLATFORM_AUDIENCE,
        scope: 'revocations:read',
      }),
      resource: AUDIENCE,
      revocations: this.revocations,
      freshness: this.freshness,
      ended: this.metrics.counter({
        name: 'grantlog_position_reports_total',
        help: 'Reports of how far the revocations were applied here, by how they ended.',
        label: 'outcome',
        values: reportOutcomes,
      }),
      trouble: error =>
        this.logger.warn({ err: error }, 'nobody hears how far the revocations were applied here'),
    })
  }

  async onModuleDestroy(): Promise<void> {
    await this.#reports?.stop()
  }
}
