import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Envelope, eventLine, type Service, services } from '@grantlog/contracts'
import { type Feed, type Revocation, SourceLogs } from './feed.js'

const earlierMilliseconds = 1_800_000
const heardMilliseconds = 1000
const lookMilliseconds = 50

export interface HttpFeedOptions {
  /** Where it listens; 0: at any that is free. */
  readonly port: number
  /** Where the access token is written; undefined: into a folder of its own. */
  readonly tokenFile?: string | undefined
}

/** A server of its own that answers `GET /revocations` as the token service does, to whoever has its token. */
export class HttpFeed implements Feed {
  readonly logs = new SourceLogs()
  /** Events to an answer. */
  pageSize = 1000
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response))
  readonly #lines: { readonly type: string; readonly text: string }[] = []
  /** When each silent source was heard last. */
  readonly #silent = new Map<Service, Date>()
  /** Refuses with this status. */
  #refusing: number | undefined
  #token = ''
  #folder: string | undefined
  #url = ''
  #tokenFile: string

  constructor(private readonly options: HttpFeedOptions) {
    this.#tokenFile = options.tokenFile ?? ''
  }

  get address() {
    return { brokers: '', prefix: '', url: this.#url, tokenFile: this.#tokenFile }
  }

  async open(earlier: readonly Revocation[]): Promise<void> {
    if (this.#tokenFile === '') {
      this.#folder = await mkdtemp(join(tmpdir(), 'feed-check-'))
      this.#tokenFile = join(this.#folder, 'token')
    }
    await this.renewToken()
    const time = new Date(Date.now() - earlierMilliseconds)
    this.publish(...earlier.map(revocation => this.logs.revoked(revocation, undefined, time)))
    this.#server.listen(this.options.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async revoke(...revocations: readonly Revocation[]): Promise<void> {
    this.publish(...revocations.map(revocation => this.logs.revoked(revocation)))
  }

  publish(...events: readonly Envelope[]): void {
    this.#lines.push(...events.map(event => ({ type: event.type, text: eventLine(event) })))
  }

  /** Sources of which nothing more is heard; none: all are heard again. */
  silence(...sources: readonly Service[]): void {
    this.#silent.clear()
    for (const source of sources) this.#silent.set(source, new Date())
  }

  /** Cuts all connections off, and answers with the status from now on; undefined: as always. */
  refuse(status: number | undefined): void {
    this.#refusing = status
    if (status !== undefined) this.#server.closeAllConnections()
  }

  /** The token before counts no longer. */
  async renewToken(): Promise<void> {
    this.#token = randomBytes(24).toString('base64url')
    await writeFile(this.#tokenFile, this.#token, { mode: 0o600 })
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.#url)
    const cursor = searchParams.get('after') ?? [request.headers['last-event-id']].flat()[0] ?? '0'
    const wait = Number(searchParams.get('wait') ?? 0)
    const wrong = this.#wrong(request, pathname, cursor, wait)
    if (wrong !== undefined) {
      response.writeHead(wrong.status, { 'content-type': 'application/json', ...wrong.headers })
      response.end(JSON.stringify({ error: wrong.error }))
    } else if (request.headers.accept?.includes('text/event-stream')) {
      await this.#stream(Number(cursor), response)
    } else {
      const page = await this.#page(Number(cursor), wait, response)
      const { events, ...rest } = page
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(`${JSON.stringify(rest).slice(0, -1)},"events":[${events.join(',')}]}`)
    }
  }

  #wrong({ headers }: IncomingMessage, path: string, cursor: string, wait: number) {
    if (this.#refusing !== undefined)
      return { status: this.#refusing, error: 'temporarily_unavailable', headers: { 'retry-after': '1' } }
    if (path !== '/revocations') return { status: 404, error: 'not_found' }
    if (headers.authorization !== `Bearer ${this.#token}`)
      return { status: 401, error: 'invalid_token', headers: { 'www-authenticate': 'Bearer' } }
    if (!/^\d+$/.test(cursor) || Number(cursor) > this.#lines.length || !(wait >= 0 && wait <= 60))
      return { status: 400, error: 'invalid_request' }
    return undefined
  }

  /** What comes after the cursor, as soon as there is something, or nothing when the time is over. */
  async #page(from: number, waitSeconds: number, response: ServerResponse) {
    const until = performance.now() + waitSeconds * 1000
    while (this.#lines.length === from && performance.now() < until && !response.destroyed)
      await delay(lookMilliseconds)
    const events = this.#lines.slice(from, from + this.pageSize).map(({ text }) => text)
    const cursor = from + events.length
    const more = cursor < this.#lines.length
    return { cursor: String(cursor), ...(!more && { heard: this.#heard() }), more, events }
  }

  async #stream(from: number, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let at = from, toldAt = 0; !response.destroyed; await delay(lookMilliseconds)) {
      for (const { type, text } of this.#lines.slice(at))
        response.write(`event: ${type}\ndata: ${text}\nid: ${++at}\n\n`)
      if (performance.now() - toldAt < heardMilliseconds) continue
      response.write(`event: heard\ndata: ${JSON.stringify(this.#heard())}\n\n`)
      toldAt = performance.now()
    }
  }

  #heard(): Record<string, string> {
    const now = new Date()
    return Object.fromEntries(
      services.map(source => [source, (this.#silent.get(source) ?? now).toISOString()]),
    )
  }
}
