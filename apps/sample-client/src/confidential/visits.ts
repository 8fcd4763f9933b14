import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Problem } from '@grantlog/platform'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SampleClientConfig } from '../sample-client.config.js'

const cookieName = 'ledgerly_session'

/** Tells browsers apart by a random cookie, and a browser's own forms from those of other sites. */
export class Visits {
  constructor(private readonly config: Pick<SampleClientConfig, 'PUBLIC_URL' | 'SESSION_KEY'>) {}

  /** The id in the browser's cookie, if it is shaped like one of ours. */
  idOf(request: FastifyRequest): string | undefined {
    const pattern = new RegExp(`(?:^|;\\s*)${cookieName}=([A-Za-z0-9_-]{43})(?:;|$)`)
    return pattern.exec(request.headers.cookie ?? '')?.[1]
  }

  /** Gives the browser an id that nobody else can know. */
  begin(reply: FastifyReply): string {
    const id = randomBytes(32).toString('base64url')
    const secure = this.config.PUBLIC_URL.startsWith('https:') ? '; Secure' : ''
    reply.header('set-cookie', `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Lax${secure}`)
    return id
  }

  /** What a form of this browser carries. */
  csrfOf(id: string): string {
    return createHmac('sha256', Buffer.from(this.config.SESSION_KEY, 'base64url'))
      .update(id)
      .digest('base64url')
  }

  /** @throws Problem 403 when the form is not one that we gave to this browser; returns the browser's id */
  prove(request: FastifyRequest, csrf: string): string {
    const id = this.idOf(request)
    const given = Buffer.from(csrf)
    const expected = Buffer.from(this.csrfOf(id ?? ''))
    if (id === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new Problem(
        403,
        'This form is not yours',
        'The form was not made for this browser, or is out of date: open the page again.',
      )
    }
    return id
  }
}
