import { CONFIG } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Controller, Get, Header, Inject, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ConfidentialClient } from '../confidential/confidential-client.js'
import { Visits } from '../confidential/visits.js'
import { publicPage } from '../pages/public.page.js'
import { startPage } from '../pages/start.page.js'
import type { SampleClientConfig } from '../sample-client.config.js'

/** The start, and the pages of the face that runs in the browser: what happens there, the server never learns. */
@Controller()
export class PagesController {
  constructor(
    @Inject(CONFIG) private readonly config: SampleClientConfig,
    private readonly client: ConfidentialClient,
    private readonly visits: Visits,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  async start(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = this.visits.idOf(request) ?? this.visits.begin(reply)
    const endpoint = await this.client.authorizationEndpoint()
    reply.header('content-security-policy', this.#policy(endpoint))
    return startPage(this.config, { csrf: this.visits.csrfOf(id), reachable: endpoint !== undefined })
  }

  @Get(['public', 'public/callback'])
  @Header('content-type', 'text/html; charset=utf-8')
  publicFace(@Res({ passthrough: true }) reply: FastifyReply) {
    reply.header('content-security-policy', this.#policy())
    return publicPage(this.config)
  }

  #policy(endpoint?: string): string {
    const { ISSUER, RESOURCE } = this.config
    return contentSecurityPolicy({
      script: 'self',
      connect: [ISSUER, RESOURCE],
      formAction: endpoint === undefined ? [] : [endpoint],
    })
  }
}
