import { Commands } from '@grantlog/eventing'
import { Clock, Problem } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DataSource } from 'typeorm'
import { type GrantState, grant } from '../domain/grant.js'
import { type GrantsPage, grantsPage } from '../pages/grants.page.js'
import { positionsPage, signedOutPage } from '../pages/positions.page.js'
import { Organizations } from '../people/organizations.js'
import { Sessions } from '../people/sessions.js'
import { person } from '../people/who-commands.js'
import { grantsOf } from '../projections/grants.projection.js'
import { Positions } from '../revocations/positions.js'
import { positionsOf } from '../revocations/positions-of-grants.js'
import { Revocations } from '../revocations/revocations.js'
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
    private readonly organizations: Organizations,
    private readonly revocations: Revocations,
    private readonly sessions: Sessions,
    private readonly positions: Positions,
    private readonly clock: Clock,
  ) {}

  @Get()
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('revoked') revoked?: unknown,
    @Query('changed') changed?: unknown,
  ): Promise<void> {
    const visit = await this.browser.visit(request, reply)
    if (visit.session === undefined) {
      seeOther(reply, '/sign-in')
      return
    }
    const hers = await grantsOf(this.db, visit.session.accountId)
    const now = this.clock.seconds()
    const page = grantsPage({
      user: signedIn(this.browser, visit, visit.session),
      grants: hers,
      positions: await positionsOf(this.positions, hers, now),
      justRevoked: hers.find(({ grant_id, revoked_at }) => grant_id === revoked && revoked_at !== null),
      done: doneOf(revoked, changed),
      csrfOf: grantId => this.browser.csrfOf(visit, purposeOf(grantId)),
      revokeAllCsrf: this.browser.csrfOf(visit, revokeAll),
      now,
    })
    sendPage(reply, page, contentSecurityPolicy({ frames: 'self' }))
  }

  /** What is live on the page, in a frame of it: the browser reads it anew. */
  @Get('positions')
  async live(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { session } = await this.browser.visit(request, reply)
    const policy = contentSecurityPolicy({ framedBy: 'self' })
    if (session === undefined) {
      sendPage(reply, signedOutPage(), policy)
      return
    }
    const hers = await grantsOf(this.db, session.accountId)
    const apis = await positionsOf(this.positions, hers, this.clock.seconds())
    void reply.header('refresh', '2')
    sendPage(reply, positionsPage(apis), policy)
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
    const command = { grantId, revokedBy: session.accountId, why: { reason: 'owner-revoked' } } as const
    await this.revocations.ofGrant(command, person(session.accountId))
    seeOther(reply, `/grants?revoked=${grantId}`)
  }

  /** Whatever she allowed in her own name, in one event; and her other sessions. */
  @Post('revoke-all')
  async revokeAll(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const { id, session } = await this.browser.prove(request, formOf(body).require('csrf'), revokeAll)
    if (session === undefined) {
      seeOther(reply, '/sign-in')
      return
    }
    const { accountId } = session
    await this.revocations.ofOwner(
      { kind: 'person', id: accountId },
      { reason: 'owner-revoked' },
      person(accountId),
    )
    await this.sessions.endOthers(accountId, id)
    seeOther(reply, '/grants?revoked=all')
  }

  async #isHers({ owner }: GrantState, accountId: string): Promise<boolean> {
    if (owner === null) return false
    if (owner.kind === 'person') return owner.id === accountId
    return this.organizations.mayActFor(owner.id, accountId)
  }
}

/** What she has just done, where it was not about one grant. */
function doneOf(revoked: unknown, changed: unknown): GrantsPage['done'] {
  if (revoked === 'all') return 'revoked all'
  return changed === 'password' ? 'changed password' : undefined
}

const revokeAll = 'revoke all'
const purposeOf = (grantId: string) => `revoke ${grantId}`
