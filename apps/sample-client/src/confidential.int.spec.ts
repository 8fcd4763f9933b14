import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningClient, runningClient } from './specs/running-client.js'

let app: RunningClient
beforeAll(async () => {
  app = await runningClient()
})
afterAll(() => app.stop())

const cookieOf = (response: Response) => response.headers.get('set-cookie')?.split(';')[0]
const wordsOf = (page: string) =>
  page
    .replace(/^[\s\S]*<main/, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')

/** A browser: its cookie and the csrf token of its page. */
class Visitor {
  cookie = ''
  csrf = ''

  static async connected(scope = 'invoices:read'): Promise<Visitor> {
    const visitor = await new Visitor().open()
    const callback = await visitor.ask(scope)
    await visitor.get(callback)
    return visitor.open()
  }

  async open(): Promise<this> {
    this.csrf = /name="csrf" value="([^"]+)"/.exec(await this.page())?.[1] ?? ''
    return this
  }

  async get(url: string): Promise<Response> {
    const response = await fetch(url, { redirect: 'manual', headers: { cookie: this.cookie } })
    this.cookie = cookieOf(response) ?? this.cookie
    return response
  }

  async page(): Promise<string> {
    return (await this.get(`${app.url}/confidential`)).text()
  }

  /** Returns the URL with which the authorization server sends her back. */
  async ask(scope?: string): Promise<string> {
    const response = await this.post('connect', { csrf: this.csrf, ...(scope !== undefined && { scope }) })
    expect(response.status).toBe(303)
    const answer = await fetch(response.headers.get('location') ?? '', { redirect: 'manual' })
    return answer.headers.get('location') ?? ''
  }

  post(path: string, form: Record<string, string> | string, headers = {}): Promise<Response> {
    return fetch(`${app.url}/confidential/${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: this.cookie, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    })
  }
}

const forms = ['connect', 'invoices/read', 'invoices/create', 'refresh', 'revoke']

describe.each(forms)('POST /confidential/%s', path => {
  const cases: [string, (visitor: Visitor) => Promise<Response>, number, string][] = [
    ['nothing', visitor => visitor.post(path, ''), 400, "Parameter 'csrf' is missing."],
    ['an empty csrf', visitor => visitor.post(path, 'csrf='), 400, "Parameter 'csrf' is missing."],
    ['two csrf', visitor => visitor.post(path, 'csrf=a&csrf=b'), 400, "'csrf' is included more than once."],
    [
      'a guessed csrf',
      visitor => visitor.post(path, { csrf: 'a'.repeat(43) }),
      403,
      'not made for this browser',
    ],
    ['a short csrf', visitor => visitor.post(path, { csrf: 'a' }), 403, 'not made for this browser'],
    [
      'the csrf of another browser',
      async visitor => visitor.post(path, { csrf: (await new Visitor().open()).csrf }),
      403,
      'not made for this browser',
    ],
    [
      'no cookie',
      visitor => visitor.post(path, { csrf: visitor.csrf }, { cookie: '' }),
      403,
      'not made for this browser',
    ],
    [
      'a cookie of another shape',
      visitor => visitor.post(path, { csrf: visitor.csrf }, { cookie: 'ledgerly_session=x' }),
      403,
      'not made for this browser',
    ],
    ['too long a value', visitor => visitor.post(path, `csrf=${'a'.repeat(4097)}`), 400, 'longer than 4096'],
    ['broken encoding', visitor => visitor.post(path, 'csrf=%zz'), 400, 'not percent-encoded UTF-8'],
    [
      'JSON',
      visitor =>
        visitor.post(path, JSON.stringify({ csrf: visitor.csrf }), { 'content-type': 'application/json' }),
      415,
      'application/x-www-form-urlencoded',
    ],
    [
      'plain text',
      visitor => visitor.post(path, `csrf=${visitor.csrf}`, { 'content-type': 'text/plain' }),
      415,
      'content type',
    ],
    ['a huge body', visitor => visitor.post(path, `csrf=${'a'.repeat(70_000)}`), 413, 'larger than 64 kB'],
    ['GET', visitor => visitor.get(`${app.url}/confidential/${path}`), 405, 'POST is'],
  ]

  it.each(cases)('refuses %s and changes nothing', async (_, send, status, sentence) => {
    const visitor = await Visitor.connected()
    const before = await visitor.page()
    const issued = app.server.issued.length
    const response = await send(visitor)
    expect(response.status).toBe(status)
    expect(wordsOf(await response.text())).toContain(sentence)
    expect(app.server.issued).toHaveLength(issued)
    expect(await visitor.page()).toBe(before)
  })
})

describe('POST /confidential/connect', () => {
  it.each([
    ['a scope that was not offered', 'scope=admin', 'Choose one of the scopes'],
    ['two scopes fields', 'scope=invoices:read&scope=invoices:read', "'scope' is included more than once."],
  ])('refuses %s', async (_, scope, sentence) => {
    const visitor = await new Visitor().open()
    const response = await visitor.post('connect', `csrf=${visitor.csrf}&${scope}`)
    expect(response.status).toBe(400)
    expect(wordsOf(await response.text())).toContain(sentence)
  })

  it('asks to read unless told otherwise, for the API, with PKCE and a fresh state', async () => {
    const visitor = await new Visitor().open()
    await visitor.ask()
    await visitor.ask()
    const [first, second] = app.server.asked.slice(-2)
    expect(Object.fromEntries(first ?? [])).toEqual({
      client_id: 'ledgerly',
      response_type: 'code',
      redirect_uri: `${app.url}/confidential/callback`,
      scope: 'invoices:read',
      resource: app.server.resource,
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    expect(second?.get('state')).not.toBe(first?.get('state'))
    expect(second?.get('code_challenge')).not.toBe(first?.get('code_challenge'))
  })
})

describe('GET /confidential/callback', () => {
  it.each([
    ['nothing', () => '', 'no state'],
    ['no state', (query: string) => query.replace(/state=[^&]*/, ''), 'no state'],
    ['another state', (query: string) => query.replace('state=', 'state=x'), 'another state'],
    ['two states', (query: string) => `${query}&state=x`, "'state' is included more than once."],
    ['two codes', (query: string) => `${query}&code=x`, "'code' is included more than once."],
    ['another issuer', (query: string) => query.replace('iss=', 'iss=x'), 'another authorization server'],
    ['no issuer', (query: string) => query.replace(/iss=[^&]*/, ''), '(iss)'],
    [
      'neither code nor error',
      (query: string) => query.replace(/code=[^&]*/, ''),
      'neither a code nor an error',
    ],
    ['broken encoding', (query: string) => `${query}&x=%zz`, 'not percent-encoded UTF-8'],
    [
      'too long a code',
      (query: string) => query.replace('code=', `code=${'a'.repeat(8193)}`),
      'longer than 8192',
    ],
  ])('refuses %s, leads back, and still takes the true answer', async (_, change, sentence) => {
    const visitor = await new Visitor().open()
    const [address, query = ''] = (await visitor.ask()).split('?')
    const issued = app.server.issued.length
    const refused = await visitor.get(`${address}?${change(query)}`)
    expect(refused.status).toBe(400)
    const page = await refused.text()
    expect(wordsOf(page)).toContain(sentence)
    expect(page).toContain('href="/"')
    expect(app.server.issued).toHaveLength(issued)
    expect((await visitor.get(`${address}?${query}`)).headers.get('location')).toBe('/confidential')
    expect(app.server.issued).toHaveLength(issued + 2)
  })

  it('refuses the same answer a second time, and in another browser', async () => {
    const visitor = await new Visitor().open()
    const callback = await visitor.ask()
    expect((await (await new Visitor().open()).get(callback)).status).toBe(400)
    expect((await visitor.get(callback)).status).toBe(303)
    expect((await visitor.get(callback)).status).toBe(400)
  })

  it('gives the browser a new session: the id from before it is worth nothing', async () => {
    const visitor = await new Visitor().open()
    const before = visitor.cookie
    await visitor.get(await visitor.ask())
    expect(visitor.cookie).not.toBe(before)
    expect(wordsOf(await visitor.page())).toContain('Access token')
    visitor.cookie = before
    expect(wordsOf(await visitor.page())).toContain('No access yet')
  })

  it('answers POST with 405', async () => {
    const visitor = await new Visitor().open()
    expect((await visitor.post('callback', 'code=x')).status).toBe(405)
  })
})

describe('the session', () => {
  it.each(forms.slice(1))('is needed for %s', async path => {
    const visitor = await new Visitor().open()
    const response = await visitor.post(path, { csrf: visitor.csrf })
    expect(response.status).toBe(409)
    expect(wordsOf(await response.text())).toContain('There is no token: connect first.')
  })

  it('sends each refresh token once, however often the button is pressed', async () => {
    const visitor = await Visitor.connected()
    await Promise.all([1, 2, 3].map(() => visitor.post('refresh', { csrf: visitor.csrf })))
    await visitor.post('invoices/read', { csrf: visitor.csrf })
    const words = wordsOf(await visitor.page())
    expect(words.match(/A new access token came back/g)).toHaveLength(3)
    expect(words).toContain('2 invoices came back.')
    expect(words).not.toContain('failed')
  })

  it('has a cookie that scripts and other sites can not use', async () => {
    const { headers } = await fetch(app.url)
    expect(headers.get('set-cookie')).toMatch(/^ledgerly_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    expect(headers.get('content-security-policy')).toContain(`form-action 'self' ${app.server.issuer};`)
  })
})

it('no token, code or secret is in a log line', async () => {
  const before = app.output().length
  const visitor = await new Visitor().open()
  const callback = await visitor.ask()
  await visitor.get(callback)
  await visitor.open()
  await visitor.post('revoke', { csrf: visitor.csrf })
  await visitor.post('refresh', { csrf: visitor.csrf })
  await eventually(() => expect(app.output().slice(before)).toContain('/confidential/refresh'))
  expect(app.output()).toContain('/confidential/callback')
  const { code = '', state = '' } = Object.fromEntries(new URL(callback).searchParams)
  expect(code).not.toBe('')
  for (const secret of [
    app.secret,
    code,
    state,
    visitor.csrf,
    visitor.cookie.slice(17),
    ...app.server.issued,
  ]) {
    expect(app.output()).not.toContain(secret)
  }
})

describe('where the authorization server does not answer', () => {
  let alone: RunningClient
  beforeAll(async () => {
    alone = await runningClient({ ISSUER: 'http://localhost:9', PUBLIC_URL: 'https://ledgerly.example' })
  })
  afterAll(() => alone.stop())

  it('the pages say so, and the log says why', async () => {
    const opened = await fetch(`${alone.url}/`)
    expect(opened.headers.get('set-cookie')).toMatch(/; Secure$/)
    expect(wordsOf(await opened.text())).toContain('The authorization server does not answer')
    const cookie = cookieOf(opened) ?? ''
    const page = await (await fetch(`${alone.url}/confidential`, { headers: { cookie } })).text()
    expect(wordsOf(page)).toContain('The authorization server does not answer')
    expect(page).not.toContain('name="csrf"')
    await eventually(() => expect(alone.output()).toContain('metadata can not be read'))
  })
})
