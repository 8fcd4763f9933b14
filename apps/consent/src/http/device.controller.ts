import { OAuthError } from '@grantlog/oauth'
import { Clock, CONFIG, Problem } from '@grantlog/platform'
import { Body, Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DataSource } from 'typeorm'
import { Decisions, newInteraction } from '../authorization/decisions.js'
import { type DeviceRequest, DeviceRequests, type Useless } from '../authorization/device-requests.js'
import { readUserCode } from '../authorization/user-code.js'
import type { ConsentConfig } from '../consent.config.js'
import { consentPage } from '../pages/consent.page.js'
import { deviceAnsweredPage, devicePage } from '../pages/device.page.js'
import { signInPage } from '../pages/sign-in.page.js'
import { tooManyAttempts } from '../people/attempts.js'
import type { Session } from '../people/sessions.js'
import { UserCodeLimits } from '../people/user-code-limits.js'
import { administeredBy } from '../projections/memberships.projection.js'
import { Browser, type Visit } from './browser.js'
import { formOf } from './form.js'
import { OwnerChoice } from './owner-choice.js'
import { devicePath, seeOther, sendPage, signedIn } from './reply.js'

/**
 * Where a person answers a device (RFC 8628 §3.3): she signs in, types its code or compares it, and decides. The code travels in the
 * pages; only what the device asked for is stored.
 */
@Controller('device')
export class DeviceController {
  constructor(
    private readonly db: DataSource,
    private readonly browser: Browser,
    private readonly requests: DeviceRequests,
    private readonly limits: UserCodeLimits,
    private readonly decisions: Decisions,
    private readonly ownerChoice: OwnerChoice,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  @Get()
  async show(
    @Req() http: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('user_code') given?: unknown,
  ): Promise<void> {
    const userCode = typeof given === 'string' ? readUserCode(given) : undefined
    const visit = await this.browser.visit(http, reply)
    // nobody who has not signed in learns whether a code is good
    if (visit.session === undefined)
      sendPage(reply, signInPage({ csrf: this.browser.csrfOf(visit, 'sign-in'), device: { userCode } }))
    else this.#ask(reply, visit, visit.session, { userCode })
  }

  @Post()
  async enter(@Req() http: FastifyRequest, @Res() reply: FastifyReply, @Body() body: unknown): Promise<void> {
    const form = formOf(body)
    const visit = await this.browser.prove(http, form.require('csrf'), 'device')
    const { session } = visit
    const typed = form.get('user_code') ?? ''
    const userCode = readUserCode(typed)
    if (session === undefined) {
      seeOther(reply, devicePath(userCode))
      return
    }
    if (userCode === undefined) {
      const wrong = 'That is not a code: it has eight letters, and neither digits nor vowels.'
      this.#ask(reply, visit, session, { typed: typed.slice(0, 20), wrong })
      return
    }
    const wait = await this.limits.count(session.accountId, http.ip)
    if (wait !== undefined) {
      reply.header('retry-after', String(wait))
      this.#ask(reply, visit, session, { typed: userCode, wrong: tooManyAttempts(wait), status: 429 })
      return
    }
    const found = await this.#find(userCode)
    if (typeof found === 'string') {
      this.#ask(reply, visit, session, { typed: userCode, wrong: sentences[found] })
      return
    }
    await this.limits.succeeded(session.accountId, http.ip)
    await this.#show(reply, visit, session, found)
  }

  @Post('decision')
  async decide(
    @Req() http: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = formOf(body)
    const interaction = form.require('interaction')
    const userCode = form.require('user_code')
    const decision = form.require('decision')
    // the form was made for a browser whose person entered this very code: no other can be tried here
    const visit = await this.browser.prove(http, form.require('csrf'), purposeOf(interaction, userCode))
    const { session } = visit
    if (session === undefined) {
      seeOther(reply, devicePath(readUserCode(userCode)))
      return
    }
    const found = await this.#find(userCode, interaction)
    if (typeof found === 'string') throw useless(found)
    switch (decision) {
      case 'deny':
        await this.#answer(found, interaction)
        await this.decisions.denyDevice(found, session)
        seeOther(reply, '/device/denied')
        return
      case 'approve': {
        const owner = await this.ownerChoice.read(form.get('owner'), session)
        if (typeof owner === 'string') {
          await this.#show(reply, visit, session, found, owner)
          return
        }
        await this.#answer(found, interaction)
        await told(() => this.decisions.approveDevice(found, { session, owner }))
        seeOther(reply, '/device/allowed')
        return
      }
      default:
        throw new Problem(400, 'Bad Request', "The form's 'decision' must be approve or deny.")
    }
  }

  @Get('allowed')
  allowed(@Req() http: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.#answered(http, reply, 'allowed')
  }

  @Get('denied')
  denied(@Req() http: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.#answered(http, reply, 'denied')
  }

  async #answered(http: FastifyRequest, reply: FastifyReply, answer: 'allowed' | 'denied'): Promise<void> {
    const visit = await this.browser.visit(http, reply)
    const user = visit.session && signedIn(this.browser, visit, visit.session)
    sendPage(reply, deviceAnsweredPage({ answer, user }))
  }

  #find(userCode: string, interaction?: string): Promise<DeviceRequest | Useless> {
    return told(() => this.requests.find(userCode, interaction))
  }

  async #answer(device: DeviceRequest, interaction: string): Promise<void> {
    if (!(await this.requests.answer(device, interaction))) throw useless('answered')
  }

  #ask(
    reply: FastifyReply,
    visit: Visit,
    session: Session,
    {
      status = 400,
      ...filled
    }: { userCode?: string | undefined; typed?: string; wrong?: string; status?: number },
  ): void {
    const page = devicePage({
      csrf: this.browser.csrfOf(visit, 'device'),
      user: signedIn(this.browser, visit, session),
      ...filled,
    })
    sendPage(reply, page, undefined, filled.wrong === undefined ? 200 : status)
  }

  async #show(
    reply: FastifyReply,
    visit: Visit,
    person: Session,
    { request, userCode }: DeviceRequest,
    error?: string,
  ): Promise<void> {
    const interaction = newInteraction()
    const page = consentPage({
      request,
      answer: { kind: 'device', userCode },
      interaction,
      csrf: this.browser.csrfOf(visit, purposeOf(interaction, userCode)),
      user: signedIn(this.browser, visit, person),
      person,
      organizations: await administeredBy(this.db, person.accountId),
      until: this.clock.seconds() + this.config.GRANT_DAYS * 24 * 60 * 60,
      error,
    })
    sendPage(reply, page, undefined, error === undefined ? 200 : 400)
  }
}

/** A form answers one page that one browser was shown, about one device. */
const purposeOf = (interaction: string, userCode: string) => `device ${interaction} ${userCode}`

const sentences: Readonly<Record<Useless, string>> = {
  unknown: 'No device has this code. Compare it with the one that the device shows.',
  expired: 'This code has expired. Ask the device for a new one.',
  answered: 'This code was used already. Ask the device for a new one.',
}

const useless = (why: Useless) => new Problem(400, 'This code is no longer good', sentences[why])

/** There is no client to send an error to: the person is told. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    throw new Problem(400, 'The device can not have this', error.description)
  }
}
