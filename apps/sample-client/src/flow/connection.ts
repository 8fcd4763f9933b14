import type { Asked, AuthorizationClient, TokenResponse } from './authorization-client.js'
import { draft, type Invoice, type Owner, parseInvoice, parseInvoices } from './invoice.js'
import { type Told, toldByError } from './refusal.js'

/** One message to a server, and what came of it. */
export interface Step extends Told {
  readonly label: string
  readonly status: 'ok' | 'fail'
}

/** What may be shown of a token: never itself. */
export interface TokenFacts {
  readonly scope: string
  readonly expires: string
  readonly claims: string
}

const longestStory = 30

/** A client's connection to one resource owner's invoices: the tokens, hidden, and the story of what was done with them. */
export class Connection {
  readonly steps: Step[] = []
  token: TokenFacts | undefined
  owner: Owner | undefined
  invoices: readonly Invoice[] = []
  #tokens: { access: string; refresh: string | undefined } | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(private readonly client: AuthorizationClient) {}

  /** The answer came back: goes on to the token, or tells why there is none. */
  async redeem(callback: URL, asked: Asked): Promise<void> {
    const answer = callback.searchParams
    this.#tell('Access asked for', {
      code: `scope=${asked.scope}`,
      words: 'Sent to the authorization server, with PKCE and a state that only this browser has.',
    })
    const error = answer.get('error')
    if (error) {
      const words = answer.get('error_description') ?? errorWords[error] ?? 'No reason was given.'
      this.#tell('Answer of the authorization server', { code: error, words }, 'fail')
      return
    }
    this.#tell('Answer of the authorization server', {
      code: 'code',
      words: 'The code came back. State and issuer are those that were asked.',
    })
    await this.#attempt('Code for token', async () => {
      const response = await this.client.redeem(callback, asked)
      this.#keep(response, asked.scope)
      return { code: '200', words: `The token’s scope is ${this.token?.scope}.` }
    })
  }

  read(): Promise<void> {
    return this.#attempt('Read invoices', async () => {
      const response = await this.#call('GET')
      const { owner, invoices } = parseInvoices(await response.json())
      this.owner = owner
      this.invoices = invoices
      return { code: String(response.status), words: `${invoices.length} invoices came back.` }
    })
  }

  create(): Promise<void> {
    return this.#attempt('Create an invoice', async () => {
      const response = await this.#call('POST', draft)
      const invoice = parseInvoice(await response.json())
      this.invoices = [invoice, ...this.invoices]
      return { code: String(response.status), words: `${invoice.number} for ${invoice.customer}.` }
    })
  }

  refresh(): Promise<void> {
    return this.#attempt('Refresh the token', async () => {
      const { refresh } = this.#held()
      if (refresh === undefined) throw new Error('The authorization server gave no refresh token.')
      this.#keep(await this.client.refresh(refresh), this.token?.scope ?? '', refresh)
      return { code: '200', words: 'A new access token came back, and a new refresh token with it.' }
    })
  }

  /** The tokens are kept, so that a person can see that they are worth nothing now. */
  revoke(): Promise<void> {
    return this.#attempt('Revoke the token', async () => {
      const { access, refresh } = this.#held()
      // RFC 7009 §2.1: with the refresh token its access tokens end too
      await this.client.revoke(refresh ?? access)
      return { code: '200', words: 'No API should accept it any more: try to read the invoices.' }
    })
  }

  async #call(method: 'GET' | 'POST', body?: object): Promise<Response> {
    const response = await this.client.call(this.#held().access, method, body)
    if (!response.ok) throw new Error(`The API answered ${response.status}.`)
    return response
  }

  #held() {
    if (!this.#tokens) throw new Error('There is no token: connect first.')
    return this.#tokens
  }

  #keep(response: TokenResponse, askedScope: string, lastRefresh?: string): void {
    // RFC 6749 §6: the old refresh token stays good where no new one is issued
    this.#tokens = { access: response.access_token, refresh: response.refresh_token ?? lastRefresh }
    this.token = {
      // RFC 6749 §5.1: scope may be left out where it is what was asked for
      scope: response.scope ?? askedScope,
      expires: expiryOf(response.expires_in),
      claims: claimsOf(response.access_token),
    }
  }

  /** One at a time: a refresh token that is sent twice ends its whole family. */
  #attempt(label: string, work: () => Promise<Told>): Promise<void> {
    this.#turn = this.#turn.then(() =>
      work().then(
        told => this.#tell(label, told),
        error => this.#tell(label, toldByError(error), 'fail'),
      ),
    )
    return this.#turn
  }

  #tell(label: string, told: Told, status: Step['status'] = 'ok'): void {
    this.steps.push({ label, status, ...told })
    if (this.steps.length > longestStory) this.steps.shift()
  }
}

// RFC 6749 §4.1.2.1, in words, where the server gives none
const errorWords: Readonly<Record<string, string>> = {
  access_denied: 'The owner did not allow it.',
  temporarily_unavailable: 'The authorization server is busy: try again in a moment.',
}

function expiryOf(seconds: number | undefined): string {
  if (seconds === undefined) return 'not told'
  return `${new Date(Date.now() + seconds * 1000).toISOString().slice(11, 19)} UTC`
}

/** To look at only: a client does not depend on what an access token says (RFC 9068 §6). */
function claimsOf(accessToken: string): string {
  const [, payload, signature] = accessToken.split('.')
  if (payload === undefined || signature === undefined) return 'This token is not a JWT.'
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), c =>
      c.charCodeAt(0),
    )
    return JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), null, 2)
  } catch (error) {
    return `This token can not be read (${error instanceof Error ? error.name : 'unknown error'}).`
  }
}
