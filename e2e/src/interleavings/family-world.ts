import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { eventually } from '@grantlog/testing'
import pg from 'pg'
import type { Client, Tokens } from '../bad-input/wire.js'
import { accessTokenType, archive, ExchangeWorld, exchangeType, portal } from '../exchange/exchange-world.js'
import type { OwnSystem } from '../running-system.js'
import { DeviceWorld, deviceCodeGrant } from '../standards/device-world.js'
import { dpopProof, RequestWorld } from '../standards/request-world.js'

/** Who sends a refresh token: the client that it was given to, or somebody who got hold of it; nobody proves nothing. */
export type Sender = 'client' | 'thief' | 'nobody'

export interface Answer {
  readonly status: number
  readonly body: Partial<Tokens> & { readonly error?: string }
}

/** What a family begins with, presented at one of the instances: good once. */
export type Redeem = (at: number) => Promise<Answer>

interface StoredEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Clients whose token families are used and misused, each request at the instance that a test says. */
export class FamilyWorld {
  #nonce: string | undefined

  private constructor(
    private readonly exchanges: ExchangeWorld,
    private readonly devices: DeviceWorld,
    private readonly log: pg.Client,
    readonly confidential: Client,
    readonly publicClient: Client,
    /** A public one, whose tokens are bound to a key (RFC 9449 §5). */
    readonly boundClient: Client,
    /** A public one, of devices (RFC 8628). */
    readonly deviceClient: Client,
    private readonly mallory: Client,
    private readonly portalClient: Client,
    private readonly archiveClient: Client,
    /** Of the token service's instances, past the balancer. */
    private readonly urls: readonly string[],
  ) {}

  static async create(running: OwnSystem): Promise<FamilyWorld> {
    const exchanges = await ExchangeWorld.create(running)
    const requests = await RequestWorld.create(running)
    const devices = await DeviceWorld.create(running)
    const log = new pg.Client({ connectionString: running.backbone.databaseUrl('token') })
    await log.connect()
    const grant_types = ['authorization_code', 'refresh_token']
    const web = { grant_types, scope: 'view' }
    return new FamilyWorld(
      exchanges,
      devices,
      log,
      await requests.client(web),
      await requests.client({ ...web, token_endpoint_auth_method: 'none' }),
      await requests.client({ ...web, token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true }),
      await devices.client({ scope: web.scope }),
      await requests.client(web),
      await exchanges.portalClient(),
      await exchanges.archiveClient(),
      running.system.service('token').urls,
    )
  }

  close(): Promise<void> {
    return this.log.end()
  }

  /** Ada allows it: by a code, or by the one that a device shows. */
  async authorize(client: Client): Promise<Redeem> {
    if (client === this.deviceClient) return this.#connect(client)
    const code = await this.exchanges.wire.authorize(client, 'view', undefined, portal)
    return at => this.#token(at, client, this.exchanges.wire.redemption(client, code), 'client')
  }

  /** The device asks until it is told: the token service hears of Ada's answer in its own time, and may find that it asks too often. */
  async #connect(client: Client): Promise<Redeem> {
    const codes = await this.devices.begun(client, { scope: 'view', resource: portal })
    await this.devices.ada.answer(codes)
    const form = { grant_type: deviceCodeGrant, device_code: codes.device_code, client_id: client.id }
    return at =>
      eventually(async () => {
        await this.devices.wait(60)
        const answer = await this.#token(at, client, form, 'client')
        const { error = '' } = answer.body
        if (['authorization_pending', 'slow_down'].includes(error)) throw new Error(error)
        return answer
      })
  }

  endGrant(accessToken: string): Promise<void> {
    return this.exchanges.endGrant(accessToken)
  }

  /** Whoever is not the client is another one, where the client proves who it is; or else has another key, or none. */
  refresh(at: number, client: Client, by: Sender, refresh_token: string): Promise<Answer> {
    const form = { grant_type: 'refresh_token', refresh_token, ...this.exchanges.wire.named(client) }
    const proves = client.secret !== undefined
    return this.#token(at, proves && by !== 'client' ? this.mallory : client, form, by)
  }

  /** What a public client sends beside its token, to be told from others. */
  #proof(client: Client, by: Sender): Record<string, string> {
    if (by === 'nobody' || client.secret !== undefined) return {}
    if (client !== this.boundClient) return { 'idempotency-key': retryKeys[by] }
    return { dpop: dpopProof(this.exchanges.wire.url('/token'), boundKeys[by], { nonce: this.#nonce }) }
  }

  /** Who may exchange what the client was given. */
  exchangerOf(client: Client): Client | undefined {
    if (client === this.archiveClient) return undefined
    return client === this.portalClient ? this.archiveClient : this.portalClient
  }

  exchange(at: number, exchanger: Client, subject_token: string): Promise<Answer> {
    const resource = exchanger === this.portalClient ? archive : this.exchanges.invoices
    const form = { grant_type: exchangeType, subject_token, subject_token_type: accessTokenType, resource }
    return this.#token(at, exchanger, form, 'client')
  }

  async revoke(at: number, client: Client, token: string): Promise<void> {
    const form = { token, ...this.exchanges.wire.named(client) }
    const response = await this.#post(at, '/revoke', form, this.exchanges.wire.authentication(client))
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  }

  /** What each of the two instances says of a token. */
  isActive(token: string): Promise<boolean[]> {
    const { wire } = this.exchanges
    const headers = wire.basic(wire.running.demo.operator)
    return Promise.all(
      this.urls.map(async (_, at) => {
        const response = await this.#post(at, '/introspect', { token }, headers)
        return ((await response.json()) as { active: boolean }).active
      }),
    )
  }

  /** All that the token service stored of a family, and of what was exchanged for its tokens. */
  async eventsOf(familyId: string): Promise<StoredEvent[]> {
    const { rows } = await this.log.query<StoredEvent>(
      `select type, data from events
       where stream_id = $1 or (stream_id like 'token-%' and data->>'familyId' = $2) order by log_seq`,
      [`family-${familyId}`, familyId],
    )
    return rows
  }

  async #token(at: number, client: Client, form: Record<string, string>, by: Sender): Promise<Answer> {
    const headers = { ...this.exchanges.wire.authentication(client), ...this.#proof(client, by) }
    const response = await this.#post(at, '/token', form, headers)
    const body = (await response.json()) as Answer['body']
    this.#nonce = response.headers.get('dpop-nonce') ?? this.#nonce
    // RFC 9449 §8: nothing was done, and the proof is made anew
    return body.error === 'use_dpop_nonce'
      ? this.#token(at, client, form, by)
      : { status: response.status, body }
  }

  #post(at: number, path: string, form: Record<string, string>, headers: Record<string, string>) {
    const url = `${this.urls[at]}${path}`
    return fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) })
  }
}

const retryKeys = { client: randomUUID(), thief: randomUUID() }
const boundKeys = {
  client: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  thief: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}
