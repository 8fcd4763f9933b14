import {
  clientSigningAlgorithms,
  type ProtectedResourceMetadata,
  protectedResourceMetadata,
} from '@grantlog/oauth'
import { CONFIG } from '@grantlog/platform'
import { Guard } from '@grantlog/resource-guard'
import { Public } from '@grantlog/resource-guard/nest'
import { Controller, Get, Header, Inject } from '@nestjs/common'
import type { ResourceConfig } from '../resource.config.js'

/** What a client can learn of this API without a token. */
@Controller()
@Public()
export class MetadataController {
  constructor(
    @Inject(CONFIG) private readonly config: ResourceConfig,
    private readonly guard: Guard,
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

  /** How far this process has heard the revocations: whether its answers can be trusted. */
  @Get('status')
  status() {
    return { resource: this.config.AUDIENCE, revocations: this.guard.health() }
  }
}
