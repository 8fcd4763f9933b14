import {
  clientSigningAlgorithms,
  type ProtectedResourceMetadata,
  protectedResourceMetadata,
} from '@grantlog/oauth'
import { CONFIG } from '@grantlog/platform'
import { Guard } from '@grantlog/resource-guard'
import { Public } from '@grantlog/resource-guard/nest'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Controller, Get, Header, Inject, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { statusPage } from '../pages/status.page.js'
import type { ResourceConfig } from '../resource.config.js'
import { PositionReports } from '../revocations/position-reports.js'

/** What a client can learn of this API without a token. */
@Controller()
@Public()
export class MetadataController {
  constructor(
    @Inject(CONFIG) private readonly config: ResourceConfig,
    private readonly guard: Guard,
    private readonly reports: PositionReports,
  ) {}

  /** RFC 9728 §3 */
  @Get('.well-known/oauth-protected-resource/invoices')
  @Header('cache-control', 'public, max-age=300')
  metadata(): ProtectedResourceMetadata {
    return protectedResourceMetadata({
      resource: this.config.AUDIENCE,
      authorization_servers: [this.config.ISSUER],
      scopes_supported: ['invoices:read', 'invoices:write'],
      dpop_signing_alg_values_supported: clientSigningAlgorithms,
      resource_name: 'Invoices, the sample API',
    })
  }

  /** How far this process has heard the revocations: whether its answers can be trusted. For a browser a page that stays up to date. */
  @Get('status')
  status(@Req() { headers }: FastifyRequest, @Res() reply: FastifyReply): void {
    const health = this.guard.health()
    const { reportedSeconds } = this.reports
    const { AUDIENCE, MAX_STALENESS_SECONDS } = this.config
    reply.header('vary', 'accept')
    if (!headers.accept?.includes('text/html')) {
      void reply.send({ resource: AUDIENCE, revocations: { ...health, reported: reportedSeconds } })
      return
    }
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', contentSecurityPolicy())
      .header('refresh', '2')
      .send(statusPage(AUDIENCE, { ...health, reportedSeconds }, MAX_STALENESS_SECONDS))
  }
}
