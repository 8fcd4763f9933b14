import { parseParameters } from '@grantlog/oauth'
import { CONFIG, Problem } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Body, Controller, Get, Header, Inject, Post, Redirect, Req, Res, UseFilters } from '@nestjs/common'
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
const home = '/confidential'
/** Characters; a sealed code holds its facts. */
const longestCode = 8192

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
  @Redirect('', seeOther)
  async connect(@Req() request: FastifyRequest, @Body() body: unknown): Promise<{ url: string }> {
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
    return { url: url.href }
  }

  @Get('callback')
  @Redirect(home, seeOther)
  async callback(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const [, query = ''] = request.url.split('?', 2)
    parseParameters(query, { maxValueLength: longestCode })
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
  }

  @Post('invoices/read')
  @Redirect(home, seeOther)
  read(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    return this.#connectionOf(request, body).read()
  }

  @Post('invoices/create')
  @Redirect(home, seeOther)
  create(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    return this.#connectionOf(request, body).create()
  }

  @Post('refresh')
  @Redirect(home, seeOther)
  refresh(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    return this.#connectionOf(request, body).refresh()
  }

  @Post('revoke')
  @Redirect(home, seeOther)
  revoke(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    return this.#connectionOf(request, body).revoke()
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
