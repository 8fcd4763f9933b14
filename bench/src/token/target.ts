import { type Answer, Connection } from './connection.js'
import type { Database } from './ground.js'

/** A token service as it is measured: running, on the core for servers, with a client and codes for it. */
export interface Target {
  readonly name: string
  /** Of its processes; connections are spread over their ports. */
  readonly pids: readonly number[]
  readonly ports: readonly number[]
  /** Where it keeps what it must not lose; undefined: in memory. */
  readonly database: Database | undefined
  readonly paths: { readonly token: string; readonly introspect: string; readonly revoke: string }
  /** Gets JWTs. */
  readonly client: Client
  /** Gets access tokens that its introspection and revocation know of. */
  readonly known: Client
  /** Makes an authorization code as its authorization endpoint would: that is not what is measured. */
  code(): Promise<Code>
  stop(): Promise<void>
}

export interface Client {
  readonly id: string
  readonly secret: string
}

export interface Code {
  readonly code: string
  readonly verifier: string
}

export const redirectUri = 'https://app.example/callback'
export const scope = 'invoices:read'

/** The requests of one keep-alive connection to a target. Each but `send…` @throws Error for any answer but the right one. */
export class Requester {
  readonly #connection: Connection

  /** @param index which connection it is: a target with several processes gets them in turns */
  constructor(
    private readonly target: Target,
    index = 0,
  ) {
    this.#connection = new Connection(target.ports[index % target.ports.length] ?? 0)
  }

  async clientCredentials(client = this.target.client): Promise<string> {
    const form = `grant_type=client_credentials&scope=${encodeURIComponent(scope)}`
    return tokensIn(await this.#post('token', client, form)).access_token
  }

  sendCode({ code, verifier }: Code): Promise<Answer> {
    const form = `grant_type=authorization_code&code=${code}&code_verifier=${verifier}&redirect_uri=${encodeURIComponent(redirectUri)}`
    return this.#post('token', this.target.client, form)
  }

  /** Begins a family. @returns its first refresh token */
  async redeem(code: Code): Promise<string> {
    return refreshTokenIn(await this.sendCode(code))
  }

  sendRefresh(refreshToken: string): Promise<Answer> {
    return this.#post('token', this.target.client, `grant_type=refresh_token&refresh_token=${refreshToken}`)
  }

  /** @returns the successor */
  async refresh(refreshToken: string): Promise<string> {
    const successor = refreshTokenIn(await this.sendRefresh(refreshToken))
    if (successor === refreshToken) throw new Error('The refresh token was not replaced')
    return successor
  }

  async isActive(token: string, client = this.target.known): Promise<boolean> {
    const answer = await this.#post('introspect', client, `token=${token}`)
    const { active } = JSON.parse(answer.body) as { active?: boolean }
    if (answer.status !== 200 || active === undefined) throw unexpected('introspection', answer)
    return active
  }

  async revoke(token: string, client = this.target.known): Promise<void> {
    const answer = await this.#post('revoke', client, `token=${token}`)
    if (answer.status !== 200) throw unexpected('revocation', answer)
  }

  close(): void {
    this.#connection.close()
  }

  #post(endpoint: keyof Target['paths'], { id, secret }: Client, form: string): Promise<Answer> {
    const credentials = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
    return this.#connection.post(this.target.paths[endpoint], authorization, form)
  }
}

/** What a token endpoint gave out. @throws Error when it refused */
export function tokensIn(answer: Answer): { access_token: string; refresh_token?: string } {
  if (answer.status !== 200) throw unexpected('the token endpoint', answer)
  return JSON.parse(answer.body)
}

function refreshTokenIn(answer: Answer): string {
  const { refresh_token } = tokensIn(answer)
  if (refresh_token === undefined) throw unexpected('the token endpoint', answer)
  return refresh_token
}

const unexpected = (what: string, { status, body }: Answer) =>
  new Error(`The answer of ${what} was ${status} ${body.slice(0, 200)}`)
