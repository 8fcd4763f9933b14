import { createHash } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { basicCredentials } from './client-token.js'

/** Asks the authorization server about a token: its claims, or undefined where it is not active. It throws where it can not ask. */
export type Introspect = (token: string) => Promise<JWTPayload | undefined>

/**
 * Asks an introspection endpoint.
 *
 * @param options.clientId the API's `introspection_client_id`
 * @see RFC 7662 §2
 */
export function remoteIntrospection(options: {
  readonly endpoint: string
  readonly clientId: string
  readonly clientSecret: string
}): Introspect {
  const authorization = basicCredentials(options.clientId, options.clientSecret)
  return async token => {
    const response = await fetch(options.endpoint, {
      method: 'POST',
      headers: { authorization, accept: 'application/json' },
      body: new URLSearchParams({ token }),
      signal: AbortSignal.timeout(3000),
      redirect: 'error',
    })
    if (response.status === 400) return undefined // what is no token is not active
    if (!response.ok) throw new Error(`${options.endpoint} answers ${response.status}`)
    const { active, ...claims } = (await response.json()) as { active?: unknown } & JWTPayload
    return active === true ? claims : undefined
  }
}

interface Told {
  readonly claims: JWTPayload
  /** Seconds. */
  readonly until: number
}

const mostKept = 10_000

/**
 * What is known of tokens that were asked about. Claims never change, and whether a token is revoked is not read here: the feed says
 * it at each request. So an answer is kept for a while; “not active” never is.
 */
export class Introspections {
  readonly #told = new Map<string, Told>()

  /** @param cacheSeconds how long an answer is kept */
  constructor(
    private readonly ask: Introspect,
    private readonly cacheSeconds: number,
  ) {}

  /** @param now seconds */
  async claimsOf(token: string, now: number): Promise<JWTPayload | undefined> {
    const id = createHash('sha256').update(token).digest('base64url')
    const known = this.#told.get(id)
    if (known !== undefined && now < known.until) return known.claims
    this.#told.delete(id)
    const claims = await this.ask(token)
    if (claims !== undefined) this.#keep(id, { claims, until: now + this.cacheSeconds })
    return claims
  }

  /** The oldest goes first. */
  #keep(id: string, told: Told): void {
    this.#told.set(id, told)
    const [oldest] = this.#told.keys()
    if (oldest !== undefined && this.#told.size > mostKept) this.#told.delete(oldest)
  }
}
