import { createHmac } from 'node:crypto'
import type { LogLine } from '@grantlog/launcher'
import { expect } from '@jest/globals'
import type { RunningSystem } from '../running-system.js'

/** A request as it goes out, however wrong. */
export interface Sent {
  readonly path: string
  /** GET, or POST where there is a body. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
}

/** What a refusal must be: its status, the form that the protocol gives it, and the sentence that says what is wrong. */
export interface Refusal {
  readonly status: number
  /**
   * `page` for a person (HTML), `redirect` to the client (RFC 6749 §4.1.2.1), `problem` (RFC 9457), `oauth` (RFC 6749 §5.2),
   * `bearer` for a token that is missing or not good enough (RFC 6750 §3).
   */
  readonly form: 'page' | 'redirect' | 'problem' | 'oauth' | 'bearer'
  /** A part of the sentence: it names what is wrong. */
  readonly says: string
  /** `error` of OAuth's forms. */
  readonly error?: string
  /** Of a redirect; null: it goes back without one. */
  readonly state?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is right but for one thing, and the refusal that it must meet. */
export interface Wrong<Material> {
  readonly name: string
  readonly send: (material: Material) => Sent
  readonly refusal: Refusal
}

/** Sends requests to one service and remembers every secret that was in them. */
export class Requests {
  readonly #secrets = new Set<string>()

  constructor(
    readonly running: RunningSystem,
    private readonly service: 'consent' | 'clients' | 'token',
  ) {}

  url(path: string): string {
    return `${this.running.installation.url(this.service)}${path}`
  }

  send({ path, method, headers = {}, body }: Sent): Promise<Response> {
    return fetch(this.url(path), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      redirect: 'manual',
      ...(body !== undefined && { body }),
    })
  }

  /** What must never stand in a log. @returns it */
  secret(text: string): string {
    if (text.length < 12) throw new Error('Too short to be found in a log without doubt')
    this.#secrets.add(text)
    return text
  }

  /** A client's own token for the operators' interfaces. */
  async platformToken(client: { id: string; secret: string }, scope?: string): Promise<string> {
    const { installation } = this.running
    const response = await fetch(`${installation.url('token')}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.id}:${this.secret(client.secret)}`)}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: 'urn:grantlog:platform',
        ...(scope !== undefined && { scope }),
      }),
    })
    const { access_token } = (await response.json()) as { access_token?: string }
    if (access_token === undefined) throw new Error(`No token: ${response.status}`)
    // a token's secret is its signature: its other parts may be told
    this.secret(access_token.split('.').at(-1) ?? '')
    return access_token
  }

  /** The secrets that stand in a process's log: log by log, how many. Rule: none. */
  async leaks(): Promise<Record<string, number>> {
    const logs = Object.entries(await this.running.written())
    if (this.#secrets.size < 3) throw new Error('There is nothing to compare')
    const counts = logs.map(([name, text]): [string, number] => {
      return [name, [...this.#secrets].filter(secret => text.includes(secret)).length]
    })
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }
}

export async function expectRefusal(
  { running }: Requests,
  response: Response,
  refusal: Refusal,
): Promise<void> {
  const { status, form, says, error, state, headers = {} } = refusal
  const text = await response.text()
  expect({ status: response.status, text }).toEqual({ status, text })
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    ...headers,
  })
  const location = response.headers.get('location')
  const type = response.headers.get('content-type') ?? ''
  switch (form) {
    case 'redirect': {
      const { installation } = running
      expect(location).toMatch(new RegExp(`^${installation.url('sample-client')}/confidential/callback\\?`))
      const sent = new URL(location ?? '')
      expect(sent.searchParams.get('error')).toBe(error)
      expect(sent.searchParams.get('error_description')).toContain(says)
      expect(sent.searchParams.get('state')).toBe(state)
      // RFC 9207 §2: errors say who they come from too
      expect(sent.searchParams.get('iss')).toBe(installation.url('token'))
      expect(sent.searchParams.get('code')).toBeNull()
      return
    }
    case 'page': {
      expect(location).toBeNull()
      expect(type).toMatch(/^text\/html; charset=utf-8/)
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(wordsOf(text)).toContain(says)
      return
    }
    case 'problem': {
      expect(type).toMatch(/^application\/problem\+json\b/)
      const problem = JSON.parse(text) as Record<string, unknown>
      expect(problem).toMatchObject({ type: 'about:blank', status, title: expect.any(String) })
      expect(problem.detail).toContain(says)
      return
    }
    case 'oauth': {
      expect(type).toMatch(/^application\/json\b/)
      expect(JSON.parse(text)).toEqual({ error, error_description: expect.stringContaining(says) })
      return
    }
    case 'bearer': {
      expect(type).toMatch(/^application\/json\b/)
      expect(JSON.parse(text)).toEqual({
        error: error ?? 'unauthorized',
        error_description: expect.stringContaining(says),
      })
      // RFC 6750 §3.1: a request without a token "SHOULD NOT include an error code"
      const challenge = error === undefined ? /^Bearer(?! error)/ : new RegExp(`^Bearer error="${error}"`)
      expect(response.headers.get('www-authenticate')).toMatch(challenge)
    }
  }
}

/** What a person reads on a page. */
export function wordsOf(html: string): string {
  const entities: Record<string, string> = {
    '&#39;': "'",
    '&quot;': '"',
    '&lt;': '<',
    '&gt;': '>',
    '&amp;': '&',
  }
  return html
    .replace(/<(style|title)\b[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(?:#39|quot|lt|gt|amp);/g, entity => entities[entity] ?? entity)
    .replace(/\s+/g, ' ')
}

/** Watches the logs of all services from now on. @returns what ends it, and gives what was appended meanwhile */
export async function watch(running: RunningSystem): Promise<() => Promise<LogLine[]>> {
  const end = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const watched = running.logged(() => {
    begun.resolve()
    return end.promise
  })
  await begun.promise
  return async () => {
    end.resolve()
    return (await watched).log
  }
}

/** A form, with the fields that are undefined left out, and with more behind it as text. */
export function encoded(fields: Readonly<Record<string, string | undefined>>, more = ''): string {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  return `${new URLSearchParams(given)}${more}`
}

/** What consent's forms carry for a browser and a purpose: so that a request is wrong in one thing only. */
export function csrfOf({ installation }: RunningSystem, cookie: string, purpose: string): string {
  return createHmac('sha256', Buffer.from(installation.secrets.consentSessionKey, 'base64url'))
    .update(`${cookie}\n${purpose}`)
    .digest('base64url')
}
