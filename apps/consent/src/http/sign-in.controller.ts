import type { Parameters } from '@grantlog/oauth'
import { contentSecurityPolicy } from '@grantlog/ui'
import { Body, Controller, Get, Post, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DataSource } from 'typeorm'
import { proveRedirect } from '../authorization/authorization-request.js'
import { AuthorizationRequests } from '../authorization/authorization-requests.js'
import { readUserCode } from '../authorization/user-code.js'
import { type SignInPage, signInPage } from '../pages/sign-in.page.js'
import { Accounts } from '../people/accounts.js'
import { tooManyAttempts } from '../people/attempts.js'
import { Sessions } from '../people/sessions.js'
import { SignInLimits } from '../people/sign-in-limits.js'
import { Browser, type Visit } from './browser.js'
import { formOf, requestOf } from './form.js'
import { devicePath, seeOther, sendPage } from './reply.js'

const wrong = 'The e-mail address or the password is wrong.'

/** Signing in and out. What is said of a wrong password does not tell whether there is an account. */
@Controller()
export class SignInController {
  constructor(
    private readonly db: DataSource,
    private readonly browser: Browser,
    private readonly accounts: Accounts,
    private readonly sessions: Sessions,
    private readonly limits: SignInLimits,
    private readonly requests: AuthorizationRequests,
  ) {}

  @Get('sign-in')
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const visit = await this.browser.visit(request, reply)
    if (visit.session) seeOther(reply, '/grants')
    else sendPage(reply, signInPage({ csrf: this.browser.csrfOf(visit, 'sign-in') }))
  }

  @Post('sign-in')
  async signIn(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = formOf(body)
    const query = requestOf(form)
    const device = deviceOf(form)
    const visit = await this.browser.prove(request, form.require('csrf'), 'sign-in')
    const email = form.get('email') ?? ''
    const password = form.get('password') ?? ''
    const problem = problemOf(email, password)
    if (problem !== undefined)
      return this.#refuse(reply, visit, { query, device, email, sentence: problem, status: 400 })

    const wait = await this.limits.count(email, request.ip)
    if (wait !== undefined) {
      reply.header('retry-after', String(wait))
      return this.#refuse(reply, visit, {
        query,
        device,
        email,
        sentence: tooManyAttempts(wait),
        status: 429,
      })
    }
    const account = await this.accounts.authenticate(email, password)
    if (account === undefined)
      return this.#refuse(reply, visit, { query, device, email, sentence: wrong, status: 403 })

    await this.limits.succeeded(email, request.ip)
    await this.sessions.end(visit.id)
    await this.sessions.begin(this.browser.begin(reply), account.accountId)
    seeOther(reply, placeAfter(query, device))
  }

  @Post('sign-out')
  async signOut(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const { id } = await this.browser.prove(request, formOf(body).require('csrf'), 'sign-out')
    await this.sessions.end(id)
    this.browser.forget(reply)
    seeOther(reply, '/sign-in')
  }

  async #refuse(
    reply: FastifyReply,
    visit: Visit,
    {
      query,
      device,
      email,
      sentence,
      status,
    }: {
      query: string | undefined
      device: SignInPage['device']
      email: string
      sentence: string
      status: number
    },
  ): Promise<void> {
    const { asked, policy } = await this.#questionOf(query)
    const page: SignInPage = {
      csrf: this.browser.csrfOf(visit, 'sign-in'),
      asked,
      device,
      failed: { email: email.slice(0, 254), sentence },
    }
    sendPage(reply, signInPage(page), policy, status)
  }

  /** Who asks what she signs in to answer. @throws Problem, OAuthError for a request that is out of order by now */
  async #questionOf(query: string | undefined): Promise<{ asked?: SignInPage['asked']; policy: string }> {
    if (query === undefined) return { policy: contentSecurityPolicy() }
    const found = await this.requests.find(query)
    const request = await this.requests.read(found, await proveRedirect(this.db, found.query))
    return {
      asked: { query, client: request.client.name, api: request.api.name },
      policy: contentSecurityPolicy({ formAction: [request.redirectUri] }),
    }
  }
}

/** The device that she signs in to answer, if it is that. */
function deviceOf(form: Parameters): SignInPage['device'] {
  return form.get('to') === 'device' ? { userCode: readUserCode(form.get('user_code') ?? '') } : undefined
}

function placeAfter(query: string | undefined, device: SignInPage['device']): string {
  if (query !== undefined) return `/authorize?${query}`
  return device === undefined ? '/grants' : devicePath(device.userCode)
}

function problemOf(email: string, password: string): string | undefined {
  if (email === '') return 'Give your e-mail address.'
  if (password === '') return 'Give your password.'
  if (email.length > 254 || password.length > 1024) return wrong
  return undefined
}
