import { randomUUID } from 'node:crypto'
import { eventually } from '@grantlog/testing'
import { type Client, type Tokens, Wire } from '../bad-input/wire.js'
import type { RunningSystem } from '../running-system.js'

export const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
export const portal = 'https://portal.example/'
export const archive = 'https://archive.example/'

export type Change = Readonly<Record<string, string | undefined>>
export interface Exchanged extends Tokens {
  readonly issued_token_type: string
  readonly token_type: string
}
export type Claims = Readonly<Record<string, unknown>> & {
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly grant: string
}

/**
 * Ada uses a web application, which calls a portal, which calls the sample API of invoices: on her behalf, with a token that it
 * exchanges hers for. The portal lives 120 s with a token, the archive 600.
 */
export class ExchangeWorld {
  readonly wire: Wire
  readonly #operatorToken: string

  private constructor(wire: Wire, operatorToken: string) {
    this.wire = wire
    this.#operatorToken = operatorToken
  }

  static async create(running: RunningSystem): Promise<ExchangeWorld> {
    const wire = new Wire(running)
    const world = new ExchangeWorld(wire, await wire.operatorToken())
    await world.#api('portal', portal, 120, ['view', 'edit'])
    await world.#api('archive', archive, 600, ['archive:read', 'archive:write'])
    return world
  }

  get invoices(): string {
    return this.wire.running.audience
  }

  /** The application that Ada uses. */
  webApplication(): Promise<Client> {
    const redirectUri = 'https://web.example/callback'
    return this.#client(redirectUri, {
      client_name: 'Web',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token', exchangeType],
      scope: 'view edit',
    })
  }

  /** The portal's own client: it reads invoices and the archive for everybody, and writes for whoever may edit. */
  portalClient(change: object = {}): Promise<Client> {
    return this.#client('', {
      client_name: 'Portal',
      grant_types: [exchangeType, 'client_credentials'],
      scope: 'archive:read',
      token_exchange: {
        rules: [
          { from: portal, to: this.invoices, scope: 'invoices:read' },
          { from: portal, to: this.invoices, scope: 'invoices:write', subject_scope: 'edit' },
          { from: portal, to: archive, scope: 'archive:read unknown' },
          { from: portal, to: 'https://unknown.example/', scope: 'archive:read' },
        ],
        ...change,
      },
    })
  }

  /** The archive's own client. */
  archiveClient(): Promise<Client> {
    return this.#client('', {
      client_name: 'Archive',
      grant_types: [exchangeType],
      scope: '',
      token_exchange: { rules: [{ from: archive, to: this.invoices, scope: 'invoices:read' }] },
    })
  }

  /** Tokens for the portal that Ada, or the owner that is named, let the application have. */
  async granted(application: Client, scope = 'view', owner?: string): Promise<Tokens> {
    // the consent service hears of the application by its event
    const code = await eventually(() => this.wire.authorize(application, scope, owner, portal))
    return this.wire.redeem(application, code)
  }

  /** Tokens for the portal that somebody else let the application have. */
  async grantedByAnother(application: Client): Promise<Tokens> {
    const { running } = this.wire
    const { prover, person } = running.demo
    const demo = { ...running.demo, person: { ...person, ...prover } }
    const wire = new Wire({ ...running, demo })
    return wire.redeem(application, await wire.authorize(application, 'view', undefined, portal))
  }

  /** A token of the client's own. */
  async own(client: Client): Promise<string> {
    const form = { grant_type: 'client_credentials', resource: archive }
    const response = await this.wire.post('/token', form, this.wire.basic(client))
    return (await this.wire.granted(response)).access_token
  }

  /** A request for an exchange; undefined leaves a parameter out. */
  send(client: Client, subject: string, change: Change = {}): Promise<Response> {
    const right: Change = {
      grant_type: exchangeType,
      subject_token: subject,
      subject_token_type: accessTokenType,
      resource: this.invoices,
    }
    const form = Object.entries({ ...right, ...change }).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, value]],
    )
    return this.wire.post('/token', form, this.wire.authentication(client))
  }

  async exchange(client: Client, subject: string, change: Change = {}): Promise<Exchanged> {
    return (await this.wire.granted(await this.send(client, subject, change))) as Exchanged
  }

  /** What the API of invoices answers, which asks nobody about a token. */
  read(token: string): Promise<Response> {
    return fetch(this.invoices, { headers: { authorization: `Bearer ${token}` } })
  }

  async introspect(token: string): Promise<Readonly<Record<string, unknown>>> {
    const headers = this.wire.basic(this.wire.running.demo.operator)
    return (await (await this.wire.post('/introspect', { token }, headers)).json()) as Record<string, unknown>
  }

  async revoke(client: Client, token: string): Promise<void> {
    const response = await this.wire.post('/revoke', { token }, this.wire.authentication(client))
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  }

  /** On the owner's page. */
  async endGrant(token: string): Promise<void> {
    await this.wire.ada.revokeOnGrantsPage(claimsOf(token).grant)
  }

  suspend({ id }: Client): Promise<unknown> {
    return this.#operator(`/clients/${id}/suspend`, { reason: 'for a test' })
  }

  async remove({ id }: Client): Promise<void> {
    const url = `${this.wire.running.installation.url('clients')}/clients/${id}?reason=for+a+test`
    const headers = { authorization: `Bearer ${this.#operatorToken}` }
    const response = await fetch(url, { method: 'DELETE', headers })
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  }

  async registration({ id }: Pick<Client, 'id'>): Promise<unknown> {
    const url = `${this.wire.running.installation.url('clients')}/clients/${id}`
    const response = await fetch(url, { headers: { authorization: `Bearer ${this.#operatorToken}` } })
    return response.json()
  }

  /** As the operator. @throws Error with the answer when it is no success */
  async #operator(path: string, body: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.wire.running.installation.url('clients')}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#operatorToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }

  #api(id: string, audience: string, seconds: number, scopes: readonly string[]) {
    return this.#operator('/apis', {
      api_id: id,
      audience,
      name: id,
      scopes: scopes.map(name => ({ name, text: name, access: 'read' })),
      access_token_seconds: seconds,
    })
  }

  async #client(redirectUri: string, body: object): Promise<Client> {
    const answer = await this.#operator('/clients', { client_id: randomUUID(), ...body })
    const client = { id: String(answer.client_id), secret: String(answer.client_secret), redirectUri }
    // the token service hears of it by its event
    await eventually(async () => {
      const response = await this.wire.post('/token', { grant_type: exchangeType }, this.wire.basic(client))
      if (response.status === 401) throw new Error('The token service does not know the client')
    })
    return client
  }
}

/** What a token says; whether it is true is for those who verify it. */
export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims
}
