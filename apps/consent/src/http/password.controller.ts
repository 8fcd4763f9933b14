import { Eventing } from '@grantlog/eventing'
import { CONFIG } from '@grantlog/platform'
import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConsentConfig } from '../consent.config.js'
import { passwordPage } from '../pages/password.page.js'
import { Accounts } from '../people/accounts.js'
import { tooManyAttempts } from '../people/attempts.js'
import { newPassword } from '../people/password.js'
import { type Session, Sessions } from '../people/sessions.js'
import { SignInLimits } from '../people/sign-in-limits.js'
import { person } from '../people/who-commands.js'
import { cutoffs } from '../projections/cutoffs.projection.js'
import { Revocations } from '../revocations/revocations.js'
import { Browser, type Visit } from './browser.js'
import { formOf } from './form.js'
import { seeOther, sendPage, signedIn } from './reply.js'

/** A person changes her password. */
@Controller('sign-in/password')
export class PasswordController {
  readonly #revokes: boolean

  constructor(
    private readonly browser: Browser,
    private readonly accounts: Accounts,
    private readonly sessions: Sessions,
    private readonly limits: SignInLimits,
    private readonly revocations: Revocations,
    private readonly eventing: Eventing,
    @Inject(CONFIG) config: ConsentConfig,
  ) {
    this.#revokes = config.REVOKE_ON_PASSWORD_CHANGE === 'yes'
  }

  @Get()
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const visit = await this.browser.visit(request, reply)
    if (visit.session === undefined) seeOther(reply, '/sign-in')
    else this.#show(reply, visit, visit.session)
  }

  @Post()
  async change(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = formOf(body)
    const visit = await this.browser.prove(request, form.require('csrf'), purpose)
    const { id, session } = visit
    if (session === undefined) {
      seeOther(reply, '/sign-in')
      return
    }
    const { accountId } = session
    const current = form.get('current') ?? ''
    const next = newPassword.safeParse(form.get('next') ?? '')
    if (!next.success || current === '' || current.length > 1024) {
      const wrong = next.success
        ? 'Give your current password.'
        : 'The new password must be 15 to 1024 characters.'
      return this.#show(reply, visit, session, { wrong, status: 400 })
    }
    // whoever finds a browser signed in guesses here no oftener than at the sign-in
    const wait = await this.limits.count(accountId, request.ip)
    if (wait !== undefined) {
      reply.header('retry-after', String(wait))
      return this.#show(reply, visit, session, { wrong: tooManyAttempts(wait), status: 429 })
    }
    const cutoff = this.#revokes ? this.revocations.cutoff() : null
    const change = { accountId, current, next: next.data, cutoff }
    const changed = await this.accounts.changePassword(change, person(accountId))
    if (changed === undefined)
      return this.#show(reply, visit, session, { wrong: 'The current password is wrong.', status: 403 })
    await this.limits.succeeded(accountId, request.ip)
    await this.sessions.endOthers(accountId, id)
    await this.eventing.applied(cutoffs, changed)
    seeOther(reply, '/grants?changed=password')
  }

  #show(
    reply: FastifyReply,
    visit: Visit,
    session: Session,
    { wrong, status = 200 }: { wrong?: string; status?: number } = {},
  ): void {
    const page = passwordPage({
      csrf: this.browser.csrfOf(visit, purpose),
      user: signedIn(this.browser, visit, session),
      revokes: this.#revokes,
      wrong,
    })
    sendPage(reply, page, undefined, status)
  }
}

const purpose = 'password'
