import * as oauth from 'oauth4webapi'
import { audienceOf, type Backbone, grantsUrlOf } from '../environment.js'
import type { Demo, Installation } from '../installation.js'
import { eventsSince, type LogLine, lastEvents } from './log.js'
import { formOf, type Page, Visitor } from './visitor.js'

const redirectUri = 'http://127.0.0.1/callback'
const deniedWithinMilliseconds = 10_000

export interface ProofStep {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly detail: string
}

export interface Proof {
  readonly ok: boolean
  readonly steps: ProofStep[]
  /** From the owner's revocation, acknowledged, to the first refusal by the API. */
  readonly revokedToDeniedMs: number | null
  readonly log: readonly LogLine[]
}

/**
 * The main job over HTTP, as a client and a person do it: ask, sign in, approve, redeem, read, be refused, revoke, be denied.
 * @param told hears of each step when it is done
 */
export async function prove(
  installation: Installation,
  backbone: Backbone,
  demo: Demo,
  told: (step: ProofStep) => void,
): Promise<Proof> {
  const steps: ProofStep[] = []
  let revokedToDeniedMs: number | null = null
  async function step<T>(name: string, work: () => Promise<T>, detail: (result: T) => string): Promise<T> {
    const began = performance.now()
    const finish = (ok: boolean, text: string) => {
      const done = { name, ok, ms: Math.round(performance.now() - began), detail: text }
      steps.push(done)
      told(done)
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

  const before = await lastEvents(backbone)
  try {
    const client = new ProofClient(installation, demo)
    const visitor = new Visitor()
    const signIn = await step(
      'asked',
      async () => visitor.open(await client.authorizationUrl()),
      () => 'GET /authorize: the sign-in page',
    )
    const consent = await step(
      'signed in',
      () =>
        visitor.submit(signIn, formOf(signIn, /sign-in/), {
          email: demo.prover.email,
          password: demo.prover.password,
        }),
      () => 'POST /sign-in: the consent page',
    )
    const callback = await step(
      'approved',
      () => visitor.submit(consent, formOf(consent, /authorize/), { decision: 'approve' }, redirectUri),
      () => 'the person allows invoices:read, for herself',
    )
    const approval = await eventsSince(backbone, before, line => line.type === 'grant.approved')
    const grantId = String(approval.at(-1)?.data.grantId ?? '')
    await step(
      'code',
      async () => client.code(callback),
      () => `sealed, good once and for 60 s; event ${approval.at(-1)?.logSeq ?? '?'} of consent’s log`,
    )
    const token = await step(
      'token',
      () => client.redeem(),
      result => `${result.token_type} token, ${result.expires_in} s, scope ${result.scope}`,
    )
    await step(
      'invoice read',
      () => expectStatus(() => client.api('GET', token.access_token), 200),
      ({ body }) =>
        `200, ${Array.isArray(body) ? body.length : Object.values(body as object).flat().length} invoices, all the owner’s`,
    )
    await step(
      'write refused',
      () => expectStatus(() => client.api('POST', token.access_token), 403),
      ({ body }) => `403 ${String((body as Record<string, unknown>).error)}`,
    )
    const revoked = await step(
      'revoked',
      async () => {
        const page = await visitor.open(grantsUrlOf(installation))
        await visitor.submit(page, formOf(page, new RegExp(`${grantId}/revoke`)), {})
        return performance.now()
      },
      () => 'by its owner, on “your grants”',
    )
    revokedToDeniedMs = await step(
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
    const log = await step(
      'the log',
      () => eventsSince(backbone, before, () => true),
      lines => `${lines.length} events`,
    )
    return { ok: true, steps, revokedToDeniedMs, log }
  } catch {
    return { ok: false, steps, revokedToDeniedMs, log: [] } // the failed step says why
  }
}

/** A public client with PKCE, by a library that nobody here wrote. */
class ProofClient {
  readonly #client: oauth.Client
  readonly #options = { [oauth.allowInsecureRequests]: true }
  readonly #state = oauth.generateRandomState()
  readonly #verifier = oauth.generateRandomCodeVerifier()
  #server: oauth.AuthorizationServer | undefined
  #callback: URLSearchParams | undefined

  constructor(
    private readonly installation: Installation,
    demo: Demo,
  ) {
    this.#client = { client_id: demo.proofClient.id }
  }

  async authorizationUrl(): Promise<string> {
    const issuer = new URL(this.installation.url('token'))
    const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...this.#options })
    this.#server = await oauth.processDiscoveryResponse(issuer, discovered)
    const url = new URL(this.#server.authorization_endpoint ?? '')
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.#client.client_id,
      redirect_uri: redirectUri,
      scope: 'invoices:read',
      resource: audienceOf(this.installation),
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
    const response = await fetch(audienceOf(this.installation), {
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
