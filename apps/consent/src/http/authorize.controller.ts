import { OAuthError } from '@grantlog/oauth'
import { Clock, CONFIG, Problem } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DataSource } from 'typeorm'
import {
  type AuthorizationRequest,
  type ProvenRedirect,
  proveRedirect,
} from '../authorization/authorization-request.js'
import { AuthorizationRequests, type FoundRequest } from '../authorization/authorization-requests.js'
import { Decisions, newInteraction } from '../authorization/decisions.js'
import type { ConsentConfig } from '../consent.config.js'
import { consentPage } from '../pages/consent.page.js'
import { signInPage } from '../pages/sign-in.page.js'
import type { Session } from '../people/sessions.js'
import { administeredBy } from '../projections/memberships.projection.js'
import { Browser, type Visit } from './browser.js'
import { formOf, queryOf, requestOf } from './form.js'
import { OwnerChoice } from './owner-choice.js'
import { seeOther, sendPage, signedIn } from './reply.js'

/**
 * The authorization endpoint (RFC 6749 §3.1). Nothing is kept between its pages: the request travels in them, and is read anew
 * each time.
 */
@Controller('authorize')
export class AuthorizeController {
  constructor(
    private readonly db: DataSource,
    private readonly browser: Browser,
    private readonly requests: AuthorizationRequests,
    private readonly decisions: Decisions,
    private readonly ownerChoice: OwnerChoice,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  @Get()
  async ask(@Req() http: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const query = queryOf(http.url)
    await this.#withRequest(await this.requests.find(query), reply, async request => {
      const visit = await this.browser.visit(http, reply)
      if (visit.session === undefined) {
        const asked = { query, client: request.client.name, api: request.api.name }
        const page = signInPage({ csrf: this.browser.csrfOf(visit, 'sign-in'), asked })
        sendPage(reply, page, policyOf(request))
        return
      }
      await this.#show(reply, visit, visit.session, request, query)
    })
  }

  @Post()
  async decide(
    @Req() http: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = formOf(body)
    const query = requestOf(form) ?? ''
    const interaction = form.require('interaction')
    // ours, not the client's: a form that lacks it is told to the person
    const decision = form.require('decision')
    const visit = await this.browser.prove(http, form.require('csrf'), purposeOf(interaction, query))
    const found = await this.requests.find(query, interaction)
    await this.#withRequest(found, reply, async request => {
      const { session } = visit
      if (session === undefined) {
        seeOther(reply, `/authorize?${query}`)
        return
      }
      switch (decision) {
        case 'deny':
          await this.requests.answer(found, interaction)
          seeOther(reply, await this.decisions.deny(request, { session, interaction }))
          return
        case 'approve': {
          const owner = await this.ownerChoice.read(form.get('owner'), session)
          if (typeof owner === 'string') {
            await this.#show(reply, visit, session, request, query, owner)
            return
          }
          await this.requests.answer(found, interaction)
          seeOther(reply, await this.decisions.approve(request, { session, owner, interaction }))
          return
        }
        default:
          throw new Problem(400, 'Bad Request', "The form's 'decision' must be approve or deny.")
      }
    })
  }

  /** Until the redirect URI is proven a refusal is a page; from then on it goes back to the client. */
  async #withRequest(
    found: FoundRequest,
    reply: FastifyReply,
    work: (request: AuthorizationRequest) => Promise<void>,
  ): Promise<void> {
    const proven = await proveRedirect(this.db, found.query)
    try {
      if (found.object === undefined) await work(await this.requests.read(found, proven))
      else seeOther(reply, `/authorize?${await this.requests.keep(found.object, proven)}`)
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      seeOther(reply, this.decisions.refuse(proven, error))
    }
  }

  async #show(
    reply: FastifyReply,
    visit: Visit,
    person: Session,
    request: AuthorizationRequest,
    query: string,
    error?: string,
  ): Promise<void> {
    const interaction = newInteraction()
    const page = consentPage({
      request,
      answer: { kind: 'redirect', redirectUri: request.redirectUri, query },
      interaction,
      csrf: this.browser.csrfOf(visit, purposeOf(interaction, query)),
      user: signedIn(this.browser, visit, person),
      person,
      organizations: await administeredBy(this.db, person.accountId),
      until: this.clock.seconds() + this.config.GRANT_DAYS * 24 * 60 * 60,
      error,
    })
    sendPage(reply, page, policyOf(request), error === undefined ? 200 : 400)
  }
}

/** A form answers one page that one browser was shown, about one request. */
const purposeOf = (interaction: string, query: string) => `authorize ${interaction} ${query}`

/** Chromium applies form-action to the redirects that follow. */
const policyOf = ({ redirectUri }: ProvenRedirect) => contentSecurityPolicy({ formAction: [redirectUri] })
