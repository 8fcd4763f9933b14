import { contentSecurityPolicy } from '@grantlog/ui'
import type { FastifyReply } from 'fastify'
import type { SignedIn } from '../pages/shell.js'
import type { Session } from '../people/sessions.js'
import type { Browser, Visit } from './browser.js'

/** 303: whatever the method was, the browser goes on with GET, and forgets what the form held (RFC 9700 §4.12). */
export function seeOther(reply: FastifyReply, url: string): void {
  void reply.status(303).header('location', url).send()
}

export function sendPage(
  reply: FastifyReply,
  page: string,
  policy: string = contentSecurityPolicy(),
  status = 200,
): void {
  void reply
    .status(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .send(page)
}

export function signedIn(browser: Browser, visit: Visit, { name }: Session): SignedIn {
  return { name, signOutCsrf: browser.csrfOf(visit, 'sign-out') }
}

/** The page at which a device is answered. */
export function devicePath(userCode: string | undefined): string {
  return userCode === undefined ? '/device' : `/device?user_code=${userCode}`
}
