import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto'
import { eventually } from '@grantlog/testing'
import pg from 'pg'
import { type Client, Wire } from '../bad-input/wire.js'
import { type RunningSystem, untilStatus } from '../running-system.js'

/** A request is right but for what is changed: undefined leaves a parameter out, a list repeats it. */
export type Change = Readonly<Record<string, string | readonly string[] | undefined>>
export type Claims = Readonly<Record<string, unknown>>

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}
export const newKey = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const verifier = randomBytes(32).toString('base64url')
export const redirectUri = 'https://client.example/callback'

const registration = {
  client_name: 'Pusher',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code'],
  scope: 'invoices:read invoices:write',
}

/** Clients that push and sign their authorization requests. */
export class RequestWorld {
  readonly wire: Wire
  /** Of the clients that are registered with keys: the one that signs unless something else is said. */
  readonly key = newKey()
  readonly #edwards = generateKeyPairSync('ed25519')
  readonly #rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  readonly #operatorToken: string

  private constructor(wire: Wire, operatorToken: string) {
    this.wire = wire
    this.#operatorToken = operatorToken
  }

  static async create(running: RunningSystem): Promise<RequestWorld> {
    const wire = new Wire(running)
    return new RequestWorld(wire, await wire.operatorToken())
  }

  get issuer(): string {
    return this.wire.running.installation.url('token')
  }

  consent(path: string): string {
    return `${this.wire.running.installation.url('consent')}${path}`
  }

  /** The public keys as clients register them. */
  get jwks() {
    return {
      keys: [this.key, this.#edwards, this.#rsa].map(({ publicKey }) => publicKey.export({ format: 'jwk' })),
    }
  }

  /** Who signs in each algorithm. */
  get signers(): Readonly<Record<string, KeyPair>> {
    return {
      ES256: this.key,
      Ed25519: this.#edwards,
      EdDSA: this.#edwards,
      PS256: this.#rsa,
      RS256: this.#rsa,
    }
  }

  /** A client that the consent service and the token service have heard of. */
  async client(change: object = {}): Promise<Client> {
    const response = await this.register({ client_id: randomUUID(), ...registration, ...change })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    const { client_id, client_secret } = (await response.json()) as Record<string, string | undefined>
    const client = { id: String(client_id), redirectUri, ...(client_secret && { secret: client_secret }) }
    await eventually(async () => {
      // what it lacks is told to whom it knows
      const asked = await this.open({ client_id: client.id })
      if (asked.status !== 303) throw new Error('The consent service does not know the client')
      const form = { grant_type: 'authorization_code', ...this.wire.named(client) }
      const answer = await this.wire.post('/token', form, this.wire.authentication(client))
      if (answer.status === 401 && client_secret)
        throw new Error('The token service does not know the client')
    })
    return client
  }

  register(body: object): Promise<Response> {
    return this.#operator('POST', '/clients', body)
  }

  registerApi(body: object): Promise<Response> {
    return this.#operator('POST', '/apis', body)
  }

  /** The types of authorization details of all APIs, each once, in order. */
  async detailsTypes(): Promise<string[]> {
    const { apis } = (await (await this.#operator('GET', '/apis?limit=200')).json()) as {
      readonly apis: readonly {
        readonly authorization_details_types?: readonly { readonly type: string }[]
      }[]
    }
    const types = apis.flatMap(api => api.authorization_details_types ?? []).map(({ type }) => type)
    return [...new Set(types)].toSorted()
  }

  /** Replaces a client's registration. */
  async update({ id }: Client, change: object): Promise<void> {
    const response = await this.#operator('PUT', `/clients/${id}`, { ...registration, ...change })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  }

  async suspend({ id }: Client): Promise<void> {
    const response = await this.#operator('POST', `/clients/${id}/suspend`, { reason: 'for a test' })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  }

  #operator(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.wire.running.installation.url('clients')}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#operatorToken}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
  }

  /** What a client asks for. */
  parameters(client: Client, change: Change = {}): [string, string][] {
    const right: Change = {
      response_type: 'code',
      client_id: client.id,
      redirect_uri: client.redirectUri,
      scope: 'invoices:read',
      resource: this.wire.running.audience,
      state: 'a state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }
    return Object.entries({ ...right, ...change }).flatMap(([name, value = []]) =>
      [value].flat().map((each): [string, string] => [name, each]),
    )
  }

  /** RFC 9126 §2.1 */
  push(client: Client, change: Change = {}, headers: Record<string, string> = {}): Promise<Response> {
    return this.post(this.parameters(client, change), { ...this.wire.authentication(client), ...headers })
  }

  post(form: [string, string][] | Record<string, string>, headers: Record<string, string> = {}) {
    return fetch(this.consent('/par'), { method: 'POST', headers, body: new URLSearchParams(form) })
  }

  /** @returns the request_uri */
  async pushed(client: Client, change: Change = {}, headers: Record<string, string> = {}): Promise<string> {
    const response = await this.push(client, change, headers)
    const body = (await response.json()) as { request_uri?: string }
    if (body.request_uri === undefined) throw new Error(`${response.status}: ${JSON.stringify(body)}`)
    return body.request_uri
  }

  authorizationUrl(query: Record<string, string> | [string, string][]): string {
    return this.consent(`/authorize?${new URLSearchParams(query)}`)
  }

  /** The authorization endpoint's answer to a browser that nobody signed in with. */
  open(query: Record<string, string> | [string, string][]): Promise<Response> {
    return fetch(this.authorizationUrl(query), { redirect: 'manual', headers: { accept: 'text/html' } })
  }

  /** The same, once the consent service has heard of what makes it so. */
  openUntil(query: Record<string, string>, status: number): Promise<Response> {
    return untilStatus(status, () => this.open(query))
  }

  /** The claims of a request object that is right. */
  claims(client: Client, change: Claims = {}): Claims {
    const now = Math.floor(Date.now() / 1000)
    return {
      ...Object.fromEntries(this.parameters(client)),
      iss: client.id,
      aud: this.issuer,
      exp: now + 60,
      iat: now,
      jti: randomUUID(),
      ...change,
    }
  }

  object(client: Client, change: Claims = {}, header: Claims = {}, key: KeyPair = this.key): string {
    return signed(this.claims(client, change), { typ: 'oauth-authz-req+jwt', ...header }, key)
  }

  /** Ada allows what a client asks for; the client redeems the code. */
  async granted(client: Client, query: Record<string, string>): Promise<{ scope: string }> {
    const callback = await this.wire.ada.answer(this.authorizationUrl(query), client.redirectUri)
    return this.wire.redeem(client, codeOf(callback))
  }

  /** As if the time that is given to browsers were over. */
  async expire(): Promise<void> {
    const { backbone } = this.wire.running
    const db = new pg.Client({ connectionString: backbone.databaseUrl('consent') })
    await db.connect()
    await db.query('update pushed_requests set expires_at = 0')
    await db.end()
  }
}

export function codeOf(callback: URL): { code: string; verifier: string } {
  const code = callback.searchParams.get('code')
  if (code === null) throw new Error(`No code in ${callback.href}`)
  return { code, verifier }
}

/** A JWT; with ES256, unless its header says otherwise (RFC 7518 §3, RFC 8037 §3.1). */
export function signed(claims: Claims, header: Claims, { privateKey: key }: KeyPair): string {
  const { alg = 'ES256' } = header
  const input = `${encode({ ...header, alg })}.${encode(claims)}`
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const padding = alg === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : undefined
  const options = { key, dsaEncoding: 'ieee-p1363', ...(padding && { padding, saltLength: 32 }) } as const
  return `${input}.${sign(hash, Buffer.from(input), options).toString('base64url')}`
}

/** A DPoP proof (RFC 9449 §4.2). */
export function dpopProof(url: string, key: KeyPair, change: Claims = {}, alg = 'ES256'): string {
  const claims = { jti: randomUUID(), htm: 'POST', htu: url, iat: Math.floor(Date.now() / 1000), ...change }
  return signed(claims, { alg, typ: 'dpop+jwt', jwk: key.publicKey.export({ format: 'jwk' }) }, key)
}

/** `jkt` (RFC 7638). */
export function thumbprint({ publicKey }: KeyPair): string {
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

export const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
