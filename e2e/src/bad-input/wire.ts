import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { expect } from '@jest/globals'
import { Ada, type RunningSystem } from '../running-system.js'

/** A form as it is sent: text for what no encoder would write, pairs for a name that stands twice. */
export type Form = string | Readonly<Record<string, string>> | readonly (readonly [string, string])[]

export interface Client {
  readonly id: string
  readonly secret?: string
  readonly redirectUri: string
}

export interface Code {
  readonly code: string
  readonly verifier: string
}

/** What the token endpoint grants. */
export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
  readonly expires_in: number
}

const secretNames = new Set([
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'refresh_token',
  'token',
  'access_token',
  'subject_token',
  'actor_token',
])

/** Sends what a test says, however wrong, and remembers every secret that was sent or received. */
export class Wire {
  readonly confidential: Client
  readonly publicClient: Client
  readonly ada: Ada
  readonly #secrets = new Set<string>()

  constructor(readonly running: RunningSystem) {
    const { demo, installation } = running
    const app = installation.url('sample-client')
    this.confidential = { ...demo.confidential, redirectUri: `${app}/confidential/callback` }
    this.publicClient = { ...demo.publicClient, redirectUri: `${app}/public/callback` }
    this.ada = new Ada(running)
    for (const { secret } of [demo.confidential, demo.operator]) this.#remember(secret)
    this.#remember(demo.person.password)
  }

  /** Posts a form to the token service. */
  post(path: string, form: Form, headers: Record<string, string> = {}): Promise<Response> {
    for (const [name, value] of typeof form === 'string' ? new URLSearchParams(form) : pairsOf(form)) {
      if (secretNames.has(name)) this.#remember(value)
    }
    return fetch(this.url(path), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams([...pairsOf(form)]).toString(),
    })
  }

  /** Sends header lines as they are, also several of one name, which fetch would join. */
  async raw(
    url: string,
    method: string,
    headers: Record<string, string | string[]>,
    body: string | Buffer = '',
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, headers }, answer => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const got = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
            values.map((value): [string, string] => [name, value]),
          )
          resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers: got }))
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  url(path: string): string {
    return `${this.running.installation.url('token')}${path}`
  }

  /** The parameters by which a client says who it is: in the body, without a secret where it has none. */
  named({ id, secret }: Client): Record<string, string> {
    return secret === undefined ? { client_id: id } : {}
  }

  /** RFC 6749 §2.3.1 */
  basic({ id, secret = '' }: Pick<Client, 'id' | 'secret'>): Record<string, string> {
    this.#remember(secret)
    return { authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}` }
  }

  /** How the client authenticates: as it is registered. */
  authentication(client: Client): Record<string, string> {
    return client.secret === undefined ? {} : this.basic(client)
  }

  /** A code that Ada granted for herself, or for the owner that is named. */
  async authorize(
    client: Client,
    scope = 'invoices:read',
    owner?: string,
    resource = this.running.audience,
  ): Promise<Code> {
    const { installation } = this.running
    const verifier = randomBytes(32).toString('base64url')
    const url = new URL(`${installation.url('consent')}/authorize`)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: client.id,
      redirect_uri: client.redirectUri,
      scope,
      resource,
      state: randomBytes(16).toString('base64url'),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString()
    const callback = await this.ada.answer(url.href, client.redirectUri, owner === undefined ? {} : { owner })
    const code = callback.searchParams.get('code')
    if (code === null) throw new Error(`No code in ${callback.href}`)
    this.#remember(code)
    this.#remember(verifier)
    return { code, verifier }
  }

  redemption(client: Client, { code, verifier }: Code): Record<string, string> {
    return {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: client.redirectUri,
      ...this.named(client),
    }
  }

  async redeem(client: Client, code: Code): Promise<Tokens> {
    return this.granted(await this.post('/token', this.redemption(client, code), this.authentication(client)))
  }

  /** Tokens that Ada granted. */
  async tokens(client: Client, scope?: string, owner?: string): Promise<Tokens> {
    return this.redeem(client, await this.authorize(client, scope, owner))
  }

  /** The operator's own token: good, but not for the invoices. */
  async operatorToken(): Promise<string> {
    const { operator } = this.running.demo
    const form = { grant_type: 'client_credentials', resource: 'urn:grantlog:platform' }
    return (await this.granted(await this.post('/token', form, this.basic(operator)))).access_token
  }

  /** @throws Error with the answer when nothing was granted */
  async granted(response: Response): Promise<Tokens> {
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    const tokens = (await response.json()) as Tokens
    for (const secret of [tokens.access_token, tokens.refresh_token]) this.#remember(secret)
    return tokens
  }

  /** The secrets that stand in a process's log: log by log, how many. Rule: none. */
  async leaks(): Promise<Record<string, number>> {
    const logs = Object.entries(await this.running.written())
    if (this.#secrets.size < 5) throw new Error('There is nothing to compare')
    const leaks = logs.map(([name, text]): [string, number] => {
      return [name, [...this.#secrets].filter(secret => text.includes(secret)).length]
    })
    return Object.fromEntries(leaks.filter(([, count]) => count > 0))
  }

  /** Of what has several parts, the last is the secret: a signature, the half that only the holder knows. */
  #remember(secret = ''): void {
    const last = secret.split('.').at(-1) ?? ''
    if (last.length >= 12) this.#secrets.add(last.slice(0, 200))
  }
}

function* pairsOf(form: Exclude<Form, string>): Iterable<[string, string]> {
  for (const [name, value] of Symbol.iterator in form ? form : Object.entries(form)) yield [name, value]
}

/** One wrong request and the refusal that it must meet. */
export interface Wrong<Material> {
  readonly name: string
  readonly send: (wire: Wire, material: Material) => Promise<Response>
  readonly status?: number
  readonly error: string
  /** A part of the sentence: it names what is wrong. */
  readonly says: string
  /** Of the answer, beside those that every refusal has. */
  readonly headers?: Readonly<Record<string, unknown>>
}

/** RFC 6749 §5.2: JSON with an error code and a sentence within its characters, stored by no cache. */
export async function expectRefusal(
  response: Response,
  { status = 400, error, says, headers = {} }: Omit<Wrong<unknown>, 'name' | 'send'>,
): Promise<void> {
  const body = (await response.json()) as Record<string, unknown>
  expect({ status: response.status, ...body }).toEqual({
    status,
    error,
    error_description: expect.stringContaining(says),
  })
  expect(String(body.error_description)).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,200}$/)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': expect.stringMatching(/^application\/json\b/),
    'cache-control': 'no-store',
    ...headers,
  })
}

/** Another text of the same length and alphabet: one character in the middle of the last part differs. */
export function tampered(text: string): string {
  const at = text.length - 10
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}
