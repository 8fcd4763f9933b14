import { randomUUID } from 'node:crypto'
import { formOf, type Page, Visitor } from '@grantlog/demonstration'
import { eventually } from '@grantlog/testing'
import pg from 'pg'
import type { Client, Tokens, Wire } from '../bad-input/wire.js'
import type { RunningSystem } from '../running-system.js'
import { RequestWorld } from './request-world.js'

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** RFC 8628 §3.2 */
export interface DeviceAuthorization {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

export type Form = Readonly<Record<string, string>>

interface Choice {
  readonly decision?: 'approve' | 'deny'
  readonly owner?: string
}

/** Devices, and the people who answer them. */
export class DeviceWorld {
  readonly wire: Wire
  readonly ada: Answerer
  readonly #userCodes = new Set<string>()

  private constructor(
    readonly requests: RequestWorld,
    private readonly running: RunningSystem,
  ) {
    this.wire = requests.wire
    this.ada = new Answerer(running, running.demo.person)
  }

  static async create(running: RunningSystem): Promise<DeviceWorld> {
    return new DeviceWorld(await RequestWorld.create(running), running)
  }

  url(path: string): string {
    return `${this.running.installation.url('consent')}${path}`
  }

  /** A client of devices that both services have heard of; it has no redirect URI. */
  async client(change: object = {}): Promise<Client> {
    const response = await this.requests.register({
      client_id: randomUUID(),
      client_name: 'Telly',
      grant_types: [deviceCodeGrant, 'refresh_token'],
      scope: 'invoices:read invoices:write',
      token_endpoint_auth_method: 'none',
      ...change,
    })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    const { client_id, client_secret } = (await response.json()) as Record<string, string | undefined>
    const client = { id: String(client_id), redirectUri: '', ...(client_secret && { secret: client_secret }) }
    await eventually(async () => {
      const asked = [await this.begin(client, { scope: 'unknown' }), await this.poll(client, 'x')]
      if (asked.some(({ status }) => status === 401)) throw new Error('A service does not know the client')
    })
    return client
  }

  /** RFC 8628 §3.1 */
  begin(client: Client, change: Form = {}, headers: Record<string, string> = {}): Promise<Response> {
    const right = { scope: 'invoices:read', resource: this.running.audience, ...this.wire.named(client) }
    return this.post({ ...right, ...change }, { ...this.wire.authentication(client), ...headers })
  }

  post(form: Form | string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url('/device_authorization'), {
      method: 'POST',
      headers,
      body: new URLSearchParams(form),
    })
  }

  async begun(client: Client, change: Form = {}): Promise<DeviceAuthorization> {
    const response = await this.begin(client, change)
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
    const codes = (await response.json()) as DeviceAuthorization
    this.#userCodes.add(codes.user_code)
    return codes
  }

  /** RFC 8628 §3.4 */
  poll(
    client: Client,
    device_code: string,
    change: Form = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const form = { grant_type: deviceCodeGrant, device_code, ...this.wire.named(client), ...change }
    return this.wire.post('/token', form, { ...this.wire.authentication(client), ...headers })
  }

  /** The tokens of a device that somebody allowed: it asks until the token service has heard. */
  async tokens(client: Client, { device_code }: DeviceAuthorization, change: Form = {}): Promise<Tokens> {
    return this.wire.granted(await this.answered(() => this.poll(client, device_code, change)))
  }

  /** What a poll is answered once the token service has heard of the person's answer. */
  answered(poll: () => Promise<Response>): Promise<Response> {
    return eventually(async () => {
      await this.wait(60)
      const response = await poll()
      const { error } = (await response.clone().json()) as { error?: string }
      if (error === 'authorization_pending') throw new Error('Still pending')
      return response
    })
  }

  /** As if devices had waited since they asked last. */
  async wait(seconds: number): Promise<void> {
    await this.#in('token', 'update device_polls set polled_at = polled_at - $1', [seconds])
  }

  /** As if the time of every user code were over. */
  async expire(): Promise<void> {
    await this.#in(
      'consent',
      'update device_requests set expires_at = extract(epoch from now())::bigint - 1',
      [],
    )
  }

  /** The user codes that stand in a service's log. Rule: none. */
  async leakedUserCodes(): Promise<string[]> {
    if (this.#userCodes.size === 0) throw new Error('There is nothing to compare')
    const logs = Object.values(await this.running.written())
    return [...this.#userCodes].filter(code => logs.some(log => log.includes(code)))
  }

  async #in(service: 'consent' | 'token', text: string, values: unknown[]): Promise<void> {
    const db = new pg.Client({ connectionString: this.running.backbone.databaseUrl(service) })
    await db.connect()
    await db.query(text, values)
    await db.end()
  }
}

/** A person with a browser that knows no JavaScript. */
export class Answerer {
  readonly visitor = new Visitor()

  constructor(
    private readonly running: RunningSystem,
    private readonly person: { readonly email: string; readonly password: string },
  ) {}

  /** The device page, after sign-in where it is asked. */
  async open(path = '/device'): Promise<Page> {
    const page = await this.visitor.open(`${this.running.installation.url('consent')}${path}`)
    if (!/name="password"/.test(page.html)) return page
    const { email, password } = this.person
    return this.visitor.submit(page, formOf(page, /sign-in/), { email, password })
  }

  /** What the page says to a code. */
  async enter(user_code: string): Promise<Page> {
    const page = await this.open()
    return this.visitor.submit(page, formOf(page, /device$/), { user_code })
  }

  decide(page: Page, { decision = 'approve', owner }: Choice = {}): Promise<Page> {
    const entries = { decision, ...(owner !== undefined && { owner }) }
    return this.visitor.submit(page, formOf(page, /device\/decision/), entries)
  }

  async answer({ user_code }: DeviceAuthorization, choice: Choice = {}): Promise<Page> {
    return this.decide(await this.enter(user_code), choice)
  }
}
