import * as oauth from 'oauth4webapi'
import type { Demonstration } from './demonstration.js'
import { grantsOf, type Site } from './site.js'
import { formOf, type Page, Visitor } from './visitor.js'

const redirectUri = 'http://127.0.0.1/callback'
const deniedWithinMilliseconds = 10_000

export interface ProofStep {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly detail: string
}

/** What was done, one after the other: the first that fails is the last. */
export class Steps {
  readonly taken: ProofStep[] = []

  /** @param told hears of each step when it is done */
  constructor(private readonly told: (step: ProofStep) => void) {}

  /** @throws what the work throws */
  async take<T>(name: string, work: () => Promise<T>, detail: (result: T) => string): Promise<T> {
    const began = performance.now()
    const finish = (ok: boolean, text: string) => {
      const done = { name, ok, ms: Math.round(performance.now() - began), detail: text }
      this.taken.push(done)
      this.told(done)
    }
    try {
      const result = await work()
      finish(true, detail(result))
      return result
    } catch (error) {
      finish(false, error instanceof Error ? error.message : String(error))
      throw error
    }
  }
}

/**
 * The main job over HTTP, as a client and a person do it: ask, sign in, approve, redeem, read, be refused, revoke, be denied.
 * @returns milliseconds from the owner's revocation, acknowledged, to the first refusal by the API
 * @throws Error of the step that failed
 */
export async function prove(
  site: Site,
  { proofClient, prover }: Demonstration,
  steps: Steps,
): Promise<number> {
  const client = new ProofClient(site, proofClient.id)
  const visitor = new Visitor()
  const signIn = await steps.take(
    'asked',
    async () => visitor.open(await client.authorizationUrl()),
    () => 'GET /authorize: the sign-in page',
  )
  const consent = await steps.take(
    'signed in',
    () => visitor.submit(signIn, formOf(signIn, /sign-in/), prover),
    () => 'POST /sign-in: the consent page',
  )
  const callback = await steps.take(
    'approved',
    () => visitor.submit(consent, formOf(consent, /authorize/), { decision: 'approve' }, redirectUri),
    () => 'the person allows invoices:read, for herself',
  )
  await steps.take(
    'code',
    async () => client.code(callback),
    () => 'sealed, good once and for 60 s',
  )
  const token = await steps.take(
    'token',
    () => client.redeem(),
    result => `${result.token_type} token, ${result.expires_in} s, scope ${result.scope}`,
  )
  await steps.take(
    'invoice read',
    () => expectStatus(() => client.api('GET', token.access_token), 200),
    ({ body }) =>
      `200, ${Array.isArray(body) ? body.length : Object.values(body as object).flat().length} invoices, all the owner’s`,
  )
  await steps.take(
    'write refused',
    () => expectStatus(() => client.api('POST', token.access_token), 403),
    ({ body }) => `403 ${String((body as Record<string, unknown>).error)}`,
  )
  const revoked = await steps.take(
    'revoked',
    async () => {
      const page = await visitor.open(grantsOf(site))
      // nobody else signs in as the prover: this one is the only grant
      await visitor.submit(page, formOf(page, /\/revoke$/), {})
      return performance.now()
    },
    () => 'by its owner, on “your grants”',
  )
  return steps.take(
    'denied',
    async () => {
      while ((await client.api('GET', token.access_token)).status !== 401) {
        if (performance.now() - revoked > deniedWithinMilliseconds)
          throw new Error('The API still accepts the revoked token')
      }
      return Math.round(performance.now() - revoked)
    },
    ms => `401 invalid_token, ${ms} ms after the page said so`,
  )
}

/** A public client with PKCE, by a library that nobody here wrote. */
class ProofClient {
  readonly #client: oauth.Client
  readonly #options: { [oauth.allowInsecureRequests]: boolean }
  readonly #state = oauth.generateRandomState()
  readonly #verifier = oauth.generateRandomCodeVerifier()
  #server: oauth.AuthorizationServer | undefined
  #callback: URLSearchParams | undefined

  constructor(
    private readonly site: Site,
    clientId: string,
  ) {
    this.#client = { client_id: clientId }
    this.#options = { [oauth.allowInsecureRequests]: site.issuer.startsWith('http:') }
  }

  async authorizationUrl(): Promise<string> {
    const issuer = new URL(this.site.issuer)
    const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...this.#options })
    this.#server = await oauth.processDiscoveryResponse(issuer, discovered)
    const url = new URL(this.#server.authorization_endpoint ?? '')
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.#client.client_id,
      redirect_uri: redirectUri,
      scope: 'invoices:read',
      resource: this.site.audience,
      state: this.#state,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.#verifier),
      code_challenge_method: 'S256',
    }).toString()
    return url.href
  }

  /** Checks state and issuer (RFC 9207) of the response. */
  code(callback: Page): void {
    this.#callback = oauth.validateAuthResponse(this.server, this.#client, new URL(callback.url), this.#state)
  }

  async redeem(): Promise<oauth.TokenEndpointResponse> {
    if (this.#callback === undefined) throw new Error('There is no code to redeem')
    const response = await oauth.authorizationCodeGrantRequest(
      this.server,
      this.#client,
      oauth.None(),
      this.#callback,
      redirectUri,
      this.#verifier,
      this.#options,
    )
    return oauth.processAuthorizationCodeResponse(this.server, this.#client, response)
  }

  async api(method: 'GET' | 'POST', accessToken: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(this.site.audience, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
      ...(method === 'POST' && {
        body: JSON.stringify({
          customer: 'Nobody',
          description: 'Not allowed',
          amount: 100,
          currency: 'EUR',
        }),
      }),
    })
    return { status: response.status, body: await response.json() }
  }

  private get server(): oauth.AuthorizationServer {
    if (this.#server === undefined) throw new Error('The metadata was not read yet')
    return this.#server
  }
}

/** A resource server that starts says 503 until it has read the revocations of the last hour. */
async function expectStatus(request: () => Promise<{ status: number; body: unknown }>, status: number) {
  for (const until = Date.now() + 15_000; ; ) {
    const answer = await request()
    if (answer.status === status) return answer
    if (answer.status !== 503 || Date.now() > until) {
      throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
