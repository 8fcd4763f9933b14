import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type OwnSystem, startTwice } from '../running-system.js'
import {
  charles,
  cookieOf,
  createWorld,
  decisionForm,
  filled,
  get,
  newCookie,
  queryOf,
  signIn,
  signInForm,
  type World,
} from './consent-world.js'
import { Requests, wordsOf } from './requests.js'

let running: OwnSystem
let requests: Requests
let world: World

beforeAll(async () => {
  running = await startTwice()
  requests = new Requests(running, 'consent')
  world = await createWorld(requests)
})
afterAll(() => running?.stop())

const grantsWith = async (cookie: string) => {
  const response = await requests.send(get('/grants', cookie))
  return response.headers.get('location') ?? response.status
}

describe('every page', () => {
  it.each([
    ['sign-in', () => get('/sign-in'), 200, "'self'"],
    ['sign-in for a client', () => get(`/authorize?${queryOf(running)}`), 200, undefined],
    ['consent', () => get(`/authorize?${queryOf(running)}`, world.ada), 200, undefined],
    ['your grants', () => get('/grants', world.ada), 200, "'self'"],
    ['sign-in for a device', () => get('/device?user_code=BCDF-GHJK'), 200, "'self'"],
    ['the code of a device', () => get('/device', world.ada), 200, "'self'"],
    ['a device that was answered', () => get('/device/allowed', world.ada), 200, "'self'"],
    ['a refusal', () => get('/authorize'), 400, "'self'"],
    ['nothing', () => get('/nothing'), 404, "'self'"],
  ] as const)(
    '%s can not be framed, kept, guessed at, or told of to others',
    async (_, sent, status, formAction) => {
      const response = await requests.send(sent())
      expect(response.status).toBe(status)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      const policy = (response.headers.get('content-security-policy') ?? '').split('; ')
      // Chromium applies form-action to the redirect that follows: a page about a client's request lets its origin follow
      const follows = formAction ?? `'self' ${running.installation.url('sample-client')}`
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "frame-ancestors 'none'",
          "base-uri 'none'",
          `form-action ${follows}`,
        ]),
      )
      expect(policy.join()).not.toContain('unsafe')
      expect(await response.text()).not.toMatch(/<script|\son[a-z]+="|\sstyle="/)
    },
  )

  it('shows what was typed as text', async () => {
    const typed = '"><script>alert(1)</script>@example.com'
    const html = await (await requests.send(filled(requests, signInForm(world.nobody, typed)))).text()
    expect(wordsOf(html)).toContain('The e-mail address or the password is wrong.')
    expect(html).toContain('&lt;script&gt;')
    expect(html).not.toContain('<script')
  })

  it('never repeats a password', async () => {
    const password = 'analytical-engines'
    const form = signInForm(world.nobody, running.demo.person.email, requests.secret(password))
    const response = await requests.send(filled(requests, form))
    expect(response.status).toBe(403)
    expect(await response.text()).not.toContain(password)
  })
})

describe('a session', () => {
  it('has a new id: who planted the old one in the browser gets nothing', async () => {
    const planted = requests.secret(randomBytes(32).toString('base64url'))
    const cookie = await signIn(requests, running.demo.person, planted)
    expect(cookie).not.toBe(planted)
    expect(await grantsWith(cookie)).toBe(200)
    expect(await grantsWith(planted)).toBe('/sign-in')
  })

  it('ends when its browser signs in again: the id of before is worthless', async () => {
    const first = await signIn(requests, running.demo.person)
    const second = await signIn(requests, running.demo.person, first)
    expect(await grantsWith(second)).toBe(200)
    expect(await grantsWith(first)).toBe('/sign-in')
  })

  it('ends when she signs out, in this browser alone', async () => {
    const here = await signIn(requests, running.demo.person)
    const elsewhere = await signIn(requests, running.demo.person)
    const form = { path: '/sign-out', cookie: here, purpose: 'sign-out', fields: {} }
    const response = await requests.send(filled(requests, form))
    expect(response.headers.get('set-cookie')).toContain('Max-Age=0')
    expect(await grantsWith(here)).toBe('/sign-in')
    expect(await grantsWith(elsewhere)).toBe(200)
  })

  it('is out of reach for scripts and for other sites’ forms', async () => {
    const { headers } = await requests.send(get('/sign-in'))
    expect(headers.get('set-cookie')).toMatch(/^grantlog=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  })

  it('is needed to decide: without one she is asked to sign in, and then asked again', async () => {
    const query = queryOf(running)
    const { result, log } = await running.logged(() =>
      requests.send(filled(requests, decisionForm(world, query, world.nobody))),
    )
    expect(result.status).toBe(303)
    expect(result.headers.get('location')).toBe(`/authorize?${query}`)
    expect(log).toEqual([])
  })

  it('is needed to see grants', async () => {
    expect(await grantsWith(world.nobody)).toBe('/sign-in')
    expect(await grantsWith('x'.repeat(43))).toBe('/sign-in')
  })
})

describe('a page of consent', () => {
  const answer = async (decision: 'approve' | 'deny') => {
    const response = await requests.send(filled(requests, decisionForm(world), { decision }))
    return new URL(response.headers.get('location') ?? '').searchParams
  }

  it('that was denied can not be approved any more, also where a grant stands', async () => {
    const { log } = await running.logged(async () => {
      expect((await answer('deny')).get('error')).toBe('access_denied')
      const approved = await answer('approve')
      expect(approved.get('error')).toBe('access_denied')
      expect(approved.get('error_description')).toContain('answered already')
      expect(approved.get('code')).toBeNull()
      expect((await answer('deny')).get('error')).toBe('access_denied')
    })
    expect(log.map(line => line.type)).toEqual(['grant.denied'])
  })
})

describe('a plain member of a company', () => {
  it('is not offered to decide for it, and does not see its grants', async () => {
    const consent = wordsOf(
      await (await requests.send(get(`/authorize?${queryOf(running)}`, world.member))).text(),
    )
    expect(consent).toContain('Ledgerly wants to access Invoices')
    expect(consent).not.toContain(running.demo.company.name)
    const grants = wordsOf(await (await requests.send(get('/grants', world.member))).text())
    expect(grants).toContain('Nobody has access')
    expect(grants).not.toContain(running.demo.company.name)
  })
})

describe('trying passwords', () => {
  it('is stopped after ten for one person, in this place alone: then even the right one waits', async () => {
    const cookie = await newCookie(requests)
    const attempt = (email: string, password?: string) =>
      requests.send(filled(requests, signInForm(cookie, email, password)))
    const statuses: number[] = []
    // the count begins anew every quarter of an hour: it may do so once meanwhile
    while (statuses.length <= 20 && statuses.at(-1) !== 429)
      statuses.push((await attempt(charles.email)).status)
    expect(statuses.length).toBeGreaterThan(10)
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([403]))

    const refused = await attempt(charles.email.toUpperCase(), charles.password)
    expect(refused.status).toBe(429)
    const wait = Number(refused.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(900)
    expect(wordsOf(await refused.text())).toContain('Too many attempts. Try again in')
    expect((await attempt('another@example.com')).status).toBe(403)
  })

  it('is not what people do who know theirs, however many share an address', async () => {
    const cookie = await newCookie(requests)
    const { person } = running.demo
    for (let people = 0; people < 101; people++) {
      const response = await requests.send(
        filled(requests, signInForm(cookie, person.email, person.password)),
      )
      expect(response.status).toBe(303)
      requests.secret(cookieOf(response))
    }
  })

  it('leaves no secret in a log', async () => {
    requests.secret('a wrong password')
    expect(await requests.leaks()).toEqual({})
  })
})
