import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { CONFIG, Problem } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ConsentConfig } from '../consent.config.js'
import { type Session, Sessions } from '../people/sessions.js'

/** A browser that has our cookie, and who is signed in there. */
export interface Visit {
  readonly id: string
  readonly session: Session | undefined
}

/**
 * Tells browsers apart by a random cookie, and our own forms from those of other sites. Signing in gives the browser a new id:
 * whoever planted the old one gets nothing.
 */
@Injectable()
export class Browser {
  readonly #origin: string
  readonly #secure: boolean
  /** RFC 6265bis §4.1.3.2: with this prefix no other host can set the cookie. */
  readonly #cookie: string

  constructor(
    @Inject(CONFIG) private readonly config: ConsentConfig,
    private readonly sessions: Sessions,
  ) {
    this.#origin = new URL(config.PUBLIC_URL).origin
    this.#secure = config.PUBLIC_URL.startsWith('https:')
    this.#cookie = this.#secure ? '__Host-grantlog' : 'grantlog'
  }

  /** The visit of a page: a browser without our cookie gets one. */
  async visit(request: FastifyRequest, reply: FastifyReply): Promise<Visit> {
    const id = this.#idOf(request) ?? this.begin(reply)
    return { id, session: await this.sessions.find(id) }
  }

  /** Gives the browser an id that nobody else can know. */
  begin(reply: FastifyReply): string {
    const id = randomBytes(32).toString('base64url')
    this.#set(reply, id)
    return id
  }

  forget(reply: FastifyReply): void {
    this.#set(reply, '', '; Max-Age=0')
  }

  /** What a form carries that this browser may send for this purpose, and no other. */
  csrfOf({ id }: Visit, purpose: string): string {
    return createHmac('sha256', Buffer.from(this.config.SESSION_KEY, 'base64url'))
      .update(`${id}\n${purpose}`)
      .digest('base64url')
  }

  /**
   * The visit of a form that was sent.
   * @throws Problem 403 when the form is not one that we gave to this browser for this purpose
   */
  async prove(request: FastifyRequest, csrf: string, purpose: string): Promise<Visit> {
    const id = this.#idOf(request)
    if (id === undefined || this.#isCrossSite(request)) throw notOurs()
    const visit = { id, session: await this.sessions.find(id) }
    const given = Buffer.from(csrf)
    const expected = Buffer.from(this.csrfOf(visit, purpose))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw notOurs()
    return visit
  }

  #idOf(request: FastifyRequest): string | undefined {
    const pattern = new RegExp(`(?:^|;\\s*)${this.#cookie}=([A-Za-z0-9_-]{43})(?:;|$)`)
    return pattern.exec(request.headers.cookie ?? '')?.[1]
  }

  // our pages send no referrer, and so the browser says “null” as their forms' origin (Fetch, §3.1)
  #isCrossSite({ headers }: FastifyRequest): boolean {
    const site = headers['sec-fetch-site']
    const { origin } = headers
    return (
      (site !== undefined && site !== 'same-origin' && site !== 'none') ||
      (origin !== undefined && origin !== 'null' && origin !== this.#origin)
    )
  }

  #set(reply: FastifyReply, value: string, more = ''): void {
    const secure = this.#secure ? '; Secure' : ''
    reply.header('set-cookie', `${this.#cookie}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${more}`)
  }
}

const notOurs = () =>
  new Problem(
    403,
    'This form is out of date',
    'The form was not made for this browser, or somebody has signed in or out since: open the page again.',
  )
