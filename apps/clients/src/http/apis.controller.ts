import { Commands } from '@grantlog/eventing'
import { JsonBody, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token } from '@grantlog/resource-guard/nest'
import { Controller, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { z } from 'zod'
import { Audiences } from '../audiences.js'
import { type ApiCommand, type ApiState, api } from '../domain/api.js'
import { listApis } from '../projections/apis.projection.js'
import { apiBody, newApi, readApi, shownApi } from './api-body.js'
import { apiId } from './known-id.js'
import { operatorOf, readPage, suspension } from './request.js'

/** The registry of APIs, their scopes, and the words in which people are asked for them. */
@Controller('apis')
export class ApisController {
  constructor(
    private readonly commands: Commands,
    private readonly audiences: Audiences,
    private readonly db: DataSource,
  ) {}

  @Get()
  @RequireScope('clients:read')
  async list(@Req() request: { readonly url: string }) {
    const page = readPage(request.url)
    const rows = await listApis(this.db, page)
    return { apis: rows.map(shownApi), next: rows.length === page.limit ? rows.at(-1)?.api_id : null }
  }

  @Get(':id')
  @RequireScope('clients:read')
  async one(@Param('id', apiId) id: string) {
    return shown((await this.commands.load(api, id)).state)
  }

  @Post()
  @RequireScope('clients:write')
  async register(@Token() token: VerifiedToken, @JsonBody(newApi) body: z.infer<typeof newApi>) {
    const registration = readApi(body.api_id, body)
    const outcome = await this.audiences.claim(registration.audience, registration.apiId, () =>
      this.commands.run(api, registration.apiId, { type: 'register', registration }, operatorOf(token)),
    )
    if (outcome === undefined) throw new Problem(409, 'Conflict', 'Another API has this audience already.')
    if (outcome.events.length === 0)
      throw new Problem(409, 'Conflict', 'There is an API with this api_id already.')
    return shown(outcome.state)
  }

  /** Replaces the registration, but for the audience. */
  @Put(':id')
  @RequireScope('clients:write')
  async update(
    @Token() token: VerifiedToken,
    @Param('id', apiId) id: string,
    @JsonBody(apiBody) body: z.infer<typeof apiBody>,
  ) {
    const registration = readApi(id, body)
    const command = { type: 'update', registration } as const
    const { events, state } = await this.commands.run(api, id, command, operatorOf(token))
    const after = shown(state)
    if (events.length === 0)
      throw new Problem(409, 'Conflict', 'The audience of an API never changes: register another API.')
    return after
  }

  @Post(':id/suspend')
  @HttpCode(200)
  @RequireScope('clients:write')
  async suspend(
    @Token() token: VerifiedToken,
    @Param('id', apiId) id: string,
    @JsonBody(suspension) { reason }: z.infer<typeof suspension>,
  ) {
    return this.#run(id, { type: 'suspend', apiId: id, reason }, token)
  }

  @Post(':id/reinstate')
  @HttpCode(200)
  @RequireScope('clients:write')
  async reinstate(@Token() token: VerifiedToken, @Param('id', apiId) id: string) {
    return this.#run(id, { type: 'reinstate', apiId: id }, token)
  }

  async #run(id: string, command: ApiCommand, token: VerifiedToken) {
    return shown((await this.commands.run(api, id, command, operatorOf(token))).state)
  }
}

function shown({ registration, suspended }: ApiState) {
  if (registration === null) throw new Problem(404, 'Not Found', 'There is no such API.')
  return shownApi({ registration, suspended })
}
