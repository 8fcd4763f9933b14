import { timeOrderedId } from '@grantlog/contracts'
import { Commands, Eventing } from '@grantlog/eventing'
import { Clock, Problem } from '@grantlog/platform'
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DataSource } from 'typeorm'
import { type GrantState, grant } from '../domain/grant.js'
import { grantsPage } from '../pages/grants.page.js'
import { Organizations } from '../people/organizations.js'
import { person } from '../people/who-commands.js'
import { grants, grantsOf } from '../projections/grants.projection.js'
import { Browser } from './browser.js'
import { formOf } from './form.js'
import { knownId } from './known-id.js'
import { seeOther, sendPage, signedIn } from './reply.js'

const unknown = ['No such grant', 'There is no such grant of yours.'] as const
const grantIdInPath = knownId(...unknown)

/** “Your grants”: who may use what of a person's, and the end of it. */
@Controller('grants')
export class GrantsController {
  constructor(
    private readonly db: DataSource,
    private readonly browser: Browser,
    private readonly commands: Commands,
    private readonly eventing: Eventing,
    private readonly organizations: Organizations,
    private readonly clock: Clock,
  ) {}

  @Get()
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('revoked') revoked?: unknown,
  ): Promise<void> {
    const visit = await this.browser.visit(request, reply)
    if (visit.session === undefined) {
      seeOther(reply, '/sign-in')
      return
    }
    const hers = await grantsOf(this.db, visit.session.accountId)
    const page = grantsPage({
      user: signedIn(this.browser, visit, visit.session),
      grants: hers,
      justRevoked: hers.find(({ grant_id, revoked_at }) => grant_id === revoked && revoked_at !== null),
      csrfOf: grantId => this.browser.csrfOf(visit, purposeOf(grantId)),
      now: this.clock.seconds(),
    })
    sendPage(reply, page)
  }

  @Post(':id/revoke')
  async revoke(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('id', grantIdInPath) grantId: string,
    @Body() body: unknown,
  ): Promise<void> {
    const { session } = await this.browser.prove(request, formOf(body).require('csrf'), purposeOf(grantId))
    if (session === undefined) {
      seeOther(reply, '/sign-in')
      return
    }
    const { state } = await this.commands.load(grant, grantId)
    if (!(await this.#isHers(state, session.accountId))) throw new Problem(404, ...unknown)
    const command = {
      type: 'revoke',
      grantId,
      revokedBy: session.accountId,
      eventId: timeOrderedId(),
    } as const
    const revoked = await this.commands.run(grant, grantId, command, person(session.accountId))
    // the page that follows must show it; should the read model be slow, the revocation counts all the same
    await this.eventing.applied(grants, revoked)
    seeOther(reply, `/grants?revoked=${grantId}`)
  }

  async #isHers({ owner }: GrantState, accountId: string): Promise<boolean> {
    if (owner === null) return false
    if (owner.kind === 'person') return owner.id === accountId
    return this.organizations.mayActFor(owner.id, accountId)
  }
}

const purposeOf = (grantId: string) => `revoke ${grantId}`
