import { parseParameters } from '@grantlog/oauth'
import { CONFIG, Problem } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Body, Controller, Get, Header, HttpCode, Inject, Post, Req, Res, UseFilters } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ConfidentialClient } from '../confidential/confidential-client.js'
import { Sessions } from '../confidential/sessions.js'
import { Visits } from '../confidential/visits.js'
import { refuseStranger } from '../flow/authorization-client.js'
import { Connection } from '../flow/connection.js'
import { toldByError } from '../flow/refusal.js'
import { confidentialPage } from '../pages/confidential.page.js'
import type { SampleClientConfig } from '../sample-client.config.js'
import { formOf, scopeOf } from './form.js'
import { PageErrors } from './page-errors.filter.js'

const seeOther = 303

/** The face that runs on the server: the browser has a cookie, never a token. */
@Controller('confidential')
@UseFilters(PageErrors)
export class ConfidentialController {
  constructor(
    @Inject(CONFIG) private readonly config: SampleClientConfig,
    private readonly client: ConfidentialClient,
    private readonly visits: Visits,
    private readonly sessions: Sessions,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  async show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const id = this.visits.idOf(request) ?? this.visits.begin(reply)
    const endpoint = await this.client.authorizationEndpoint()
    reply.header(
      'content-security-policy',
      contentSecurityPolicy({ formAction: endpoint === undefined ? [] : [endpoint] }),
    )
    const { connection } = this.sessions.find(id) ?? {}
    const form = { csrf: this.visits.csrfOf(id), reachable: endpoint !== undefined }
    return confidentialPage(this.config, form, connection)
  }

  @Post('connect')
  @HttpCode(seeOther)
  async connect(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = formOf(body)
    const id = this.visits.prove(request, form.require('csrf'))
    const scope = scopeOf(form)
    const { url, asked } = await this.client.ask(scope).catch((error: unknown) => {
      throw new Problem(
        502,
        'Bad Gateway',
        `The authorization server can not be asked. ${toldByError(error).words}`,
      )
    })
    this.sessions.keep(id, { ...this.sessions.find(id), asked })
    reply.header('location', url.href)
  }

  @Get('callback')
  @HttpCode(seeOther)
  async callback(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const [, query = ''] = request.url.split('?', 2)
    parseParameters(query, { maxValueLength: 8192 })
    const callback = new URL(`${this.client.redirectUri}?${query}`)
    const id = this.visits.idOf(request) ?? ''
    const asked = this.sessions.find(id)?.asked
    const stranger = refuseStranger(callback.searchParams, asked, this.config.ISSUER)
    if (!asked || stranger !== undefined) throw new Problem(400, 'Bad Request', stranger)
    const connection = new Connection(this.client)
    // one use, and a new id: who planted the old one gets nothing
    this.sessions.forget(id)
    await connection.redeem(callback, asked)
    this.sessions.keep(this.visits.begin(reply), { connection })
    reply.header('location', '/confidential')
  }

  @Post('invoices/read')
  @HttpCode(seeOther)
  async read(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ) {
    await this.#connectionOf(request, body).read()
    reply.header('location', '/confidential')
  }

  @Post('invoices/create')
  @HttpCode(seeOther)
  async create(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ) {
    await this.#connectionOf(request, body).create()
    reply.header('location', '/confidential')
  }

  @Post('refresh')
  @HttpCode(seeOther)
  async refresh(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ) {
    await this.#connectionOf(request, body).refresh()
    reply.header('location', '/confidential')
  }

  @Post('revoke')
  @HttpCode(seeOther)
  async revoke(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ) {
    await this.#connectionOf(request, body).revoke()
    reply.header('location', '/confidential')
  }

  #connectionOf(request: FastifyRequest, body: unknown): Connection {
    const id = this.visits.prove(request, formOf(body).require('csrf'))
    const connection = this.sessions.find(id)?.connection
    if (!connection?.token) {
      throw new Problem(
        409,
        'Conflict',
        'There is no token: connect first. An unused session ends after an hour.',
      )
    }
    return connection
  }
}
