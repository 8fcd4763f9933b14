import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { wordsOf } from '../bad-input/requests.js'
import { type Client, type Code, expectRefusal, type Tokens } from '../bad-input/wire.js'
import { Ada, type OwnSystem, startTwice } from '../running-system.js'
import { type Change, codeOf, RequestWorld, redirectUri, verifier } from './request-world.js'

const codeSeconds = 5

/** What RFC 6749 says that an authorization server MUST do; `bad-input/` has the wrong requests, each refused in its own words. */
describe('the OAuth 2.0 framework (RFC 6749)', () => {
  let running: OwnSystem
  let world: RequestWorld
  let client: Client
  beforeAll(async () => {
    running = await startTwice({ consent: { CODE_SECONDS: String(codeSeconds) } })
    world = await RequestWorld.create(running)
    client = await world.client({ grant_types: ['authorization_code', 'refresh_token'] })
  })
  afterAll(() => running?.stop())

  /** Where Ada's browser is sent. */
  const answered = (change: Change = {}, decision: 'approve' | 'deny' = 'approve') =>
    new Ada(running).answer(world.authorizationUrl(world.parameters(client, change)), client.redirectUri, {
      decision,
    })
  const code = async (change: Change = {}): Promise<Code> => codeOf(await answered(change))
  const tokens = async (change: Change = {}): Promise<Tokens> => world.wire.redeem(client, await code(change))
  const redeem = (form: Record<string, string>) => world.wire.post('/token', form, world.wire.basic(client))
  const refresh = (refresh_token: string, change: Record<string, string> = {}) =>
    redeem({ grant_type: 'refresh_token', refresh_token, ...change })
  const opened = async (change: Change) => world.open(world.parameters(client, change))

  describe('clients', () => {
    // RFC 6749 §3.1.2.2: "MUST require the following clients to register their redirection endpoint: public clients …"
    it.each(['none', 'client_secret_basic'])(
      '§3.1.2.2 %s registers its redirection endpoints',
      async method => {
        const registered = await world.register({
          client_name: 'Without',
          grant_types: ['authorization_code'],
          token_endpoint_auth_method: method,
          scope: 'invoices:read',
        })
        expect(await problemOf(registered)).toMatch(/redirect_uris/)
      },
    )

    // RFC 6749 §3.1.2: "The redirection endpoint URI MUST be an absolute URI … MUST NOT include a fragment component"
    it.each(['/callback', 'https://client.example/callback#part'])('§3.1.2 not to %s', async uri => {
      const response = await world.register({
        client_name: 'Wrong',
        redirect_uris: [uri],
        scope: 'invoices:read',
      })
      expect(await problemOf(response)).toMatch(/^\/redirect_uris\/0: /)
    })

    // RFC 6749 §2.3.1: "MUST support the HTTP Basic authentication scheme"; names and secrets are form-encoded first
    it('§2.3.1 authenticate by HTTP Basic, form-encoded', async () => {
      const { id, secret = '' } = client
      const everyByte = (text: string) =>
        [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
      const response = await world.wire.post('/token', world.wire.redemption(client, await code()), {
        authorization: `Basic ${btoa(`${everyByte(id)}:${everyByte(secret)}`)}`,
      })
      expect(response.status).toBe(200)
    })

    // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients"
    it('§4.4 a public client can not be registered for client credentials', async () => {
      const registered = await world.register({
        client_name: 'Public',
        token_endpoint_auth_method: 'none',
        grant_types: ['client_credentials'],
        scope: 'invoices:read',
      })
      expect(await problemOf(registered)).toMatch(/client_credentials/)
    })
  })

  describe('the authorization endpoint', () => {
    // RFC 6749 §3.1: "MUST support the use of the HTTP "GET" method"
    it('§3.1 answers GET', async () => {
      expect((await opened({})).status).toBe(200)
    })

    // RFC 6749 §3.1: "MUST ignore unrecognized request parameters"
    it('§3.1 ignores a parameter that it does not know', async () => {
      expect((await opened({ flavour: 'vanilla' })).status).toBe(200)
    })

    // RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted from the request"
    it.each<[string, number]>([
      ['flavour', 200],
      ['state', 200],
      ['response_type', 303],
    ])('§3.1 takes an empty %s for one that is not there', async (name, status) => {
      const empty = await opened({ [name]: '' })
      const omitted = await opened({ [name]: undefined })
      expect([empty.status, omitted.status]).toEqual([status, status])
      expect(empty.headers.get('location')).toBe(omitted.headers.get('location'))
    })

    // RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once"
    it.each(['scope', 'state', 'code_challenge'])('§3.1 refuses %s twice', async name => {
      const response = await opened({ [name]: ['a', 'a'] })
      expect(errorAt(response)).toEqual('invalid_request')
    })

    // RFC 6749 §3.1.1: "If … missing … or if the response type is not understood, … MUST return an error response"
    it.each<[string | undefined, string]>([
      [undefined, 'invalid_request'],
      ['token', 'unsupported_response_type'],
      ['code token', 'unsupported_response_type'],
    ])('§3.1.1 response_type %s is an error at the client: %s', async (response_type, error) => {
      expect(errorAt(await opened({ response_type }))).toBe(error)
    })

    // RFC 6749 §3.1.2.4, §4.1.2.1: "MUST NOT automatically redirect the user-agent to the invalid redirection URI"
    it.each<[string, Change]>([
      ['another host', { redirect_uri: 'https://evil.example/callback' }],
      // RFC 6749 §3.1.2.3: compared "using simple string comparison"
      ['a slash more', { redirect_uri: `${redirectUri}/` }],
      ['another case', { redirect_uri: redirectUri.toUpperCase() }],
      ['a query more', { redirect_uri: `${redirectUri}?a=1` }],
      ['an unknown client', { client_id: 'nobody' }],
      ['no client', { client_id: undefined }],
    ])('§3.1.2.4 sends nobody to a URI that is not registered: %s', async (_, change) => {
      const response = await opened(change)
      expect([response.status, response.headers.get('location')]).toEqual([400, null])
      expect(wordsOf(await response.text())).toMatch(/client|redirect/i)
    })

    // RFC 6749 §4.1.2.1, §4.1.2: state is "REQUIRED if … present in the client authorization request. The exact value received"
    it.each(['approve', 'deny'] as const)('§4.1.2 gives back the exact state: %s', async decision => {
      const state = 'a+b %20&=ä~"\\'
      const callback = await answered({ state }, decision)
      expect(callback.searchParams.get('state')).toBe(state)
      expect(callback.searchParams.get('error')).toBe(decision === 'deny' ? 'access_denied' : null)
    })

    it('§4.1.2 gives back no state where none was sent', async () => {
      expect((await answered({ state: undefined })).searchParams.has('state')).toBe(false)
    })

    // RFC 6749 §4.1.2.1: "error_description … MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E"
    it('§4.1.2.1 describes an error in the characters that it may', async () => {
      const response = await opened({ scope: 'invoices:read "quoted"\\' })
      const { searchParams } = new URL(String(response.headers.get('location')))
      expect(searchParams.get('error')).toBe('invalid_scope')
      expect(searchParams.get('error_description')).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
    })

    // RFC 6749 §3.3: "MUST either process the request using a pre-defined default value or fail … indicating an invalid scope"
    it('§3.3 says that a scope is needed', async () => {
      expect(errorAt(await opened({ scope: undefined }))).toBe('invalid_scope')
    })

    // RFC 6749 §10.12: "MUST implement CSRF protection for its authorization endpoint"
    it('§10.12 takes no decision that another site sent', async () => {
      const form = { decision: 'approve', request: String(new URLSearchParams(world.parameters(client))) }
      const response = await fetch(world.consent('/authorize'), {
        method: 'POST',
        redirect: 'manual',
        headers: { accept: 'text/html', origin: 'https://evil.example' },
        body: new URLSearchParams(form),
      })
      expect(response.headers.get('location') ?? '').not.toContain(redirectUri)
      expect(response.status).toBeGreaterThanOrEqual(400)
    })

    // RFC 6749 §10.13: "… prevent inclusion in a frame"
    it('§10.13 can not be framed', async () => {
      const { headers } = await opened({})
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    })
  })

  describe('codes', () => {
    // RFC 6749 §4.1.2: "MUST NOT use the authorization code more than once. … MUST deny the request and SHOULD revoke …"
    it('§4.1.2, §10.5 is redeemed once; the second time ends what came of it', async () => {
      const once = await code()
      const { refresh_token } = await world.wire.redeem(client, once)
      const again = await redeem(world.wire.redemption(client, once))
      await expectRefusal(again, { error: 'invalid_grant', says: 'code' })
      await expectRefusal(await refresh(refresh_token), { error: 'invalid_grant', says: 'revoked' })
    })

    // RFC 6749 §4.1.2: "The authorization code MUST expire shortly after it is issued"
    it('§4.1.2 expires', async () => {
      const late = await code()
      await new Promise(resolve => setTimeout(resolve, (codeSeconds + 1) * 1000))
      await expectRefusal(await redeem(world.wire.redemption(client, late)), {
        error: 'invalid_grant',
        says: 'expired',
      })
    })

    // RFC 6749 §4.1.3: "ensure that the authorization code was issued to the authenticated confidential client"
    it('§4.1.3 is for the client that it was issued to', async () => {
      const other = await world.client()
      const response = await world.wire.post(
        '/token',
        world.wire.redemption(client, await code()),
        world.wire.basic(other),
      )
      await expectRefusal(response, { error: 'invalid_grant', says: 'another client' })
    })

    // RFC 6749 §10.10: "The probability of an attacker guessing generated tokens … MUST be less than or equal to 2^(-128)"
    it('§10.10 and tokens can not be guessed: at least 128 bits differ', async () => {
      const [one, other] = [await code(), await code()]
      const [first, second] = [await world.wire.redeem(client, one), await world.wire.redeem(client, other)]
      for (const [a, b] of [
        [one.code, other.code],
        [first.refresh_token, second.refresh_token],
        [first.access_token, second.access_token],
      ] as const)
        expect(differing(a, b)).toBeGreaterThanOrEqual(20) // of 6 bits each; one in 64 of them is the same by chance
    })
  })

  describe('the token endpoint', () => {
    // RFC 6749 §3.2: "MUST ignore unrecognized request parameters"
    it('§3.2 ignores a parameter that it does not know', async () => {
      const response = await redeem({ ...world.wire.redemption(client, await code()), flavour: 'vanilla' })
      expect(response.status).toBe(200)
    })

    // RFC 6749 §5.1: 'MUST include the HTTP "Cache-Control" response header field … "no-store" … "Pragma" … "no-cache"'
    it('§5.1 answers in JSON that no cache keeps, with what is required', async () => {
      const response = await redeem(world.wire.redemption(client, await code()))
      expect([
        response.status,
        ...['content-type', 'cache-control', 'pragma'].map(name => response.headers.get(name)),
      ]).toEqual([200, expect.stringMatching(/^application\/json\b/), 'no-store', 'no-cache'])
      expect(await response.json()).toMatchObject({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        refresh_token: expect.any(String),
      })
    })

    // RFC 6749 §3.3, §5.1: scope is "OPTIONAL, if identical to the scope requested by the client; otherwise, REQUIRED"
    it('§3.3 says what was granted; the order of scopes says nothing', async () => {
      const { scope } = await tokens({ scope: 'invoices:write invoices:read' })
      expect(scope.split(' ').sort()).toEqual(['invoices:read', 'invoices:write'])
    })

    // RFC 6749 §5.2: "MUST respond with an HTTP 401 … and include the "WWW-Authenticate" response header field"
    it('§5.2 challenges whoever tried the Authorization header', async () => {
      const form = world.wire.redemption(client, { code: 'a', verifier })
      const response = await world.wire.post(
        '/token',
        form,
        world.wire.basic({ id: client.id, secret: 'wrong' }),
      )
      await expectRefusal(response, {
        status: 401,
        error: 'invalid_client',
        says: 'failed',
        headers: { 'www-authenticate': expect.stringMatching(/^Basic /) },
      })
    })

    // RFC 6749 §2.3.1: "MUST protect any endpoint utilizing it against brute force attacks"
    it('§2.3.1 slows down whoever guesses secrets', async () => {
      const { id } = await world.client()
      const guess = async () => {
        const guessed = world.wire.basic({ id, secret: 'guess-after-guess' })
        return (await world.wire.post('/token', { grant_type: 'refresh_token' }, guessed)).status
      }
      const statuses: number[] = []
      for (let n = 0; n < 200 && statuses.at(-1) !== 429; n++) statuses.push(await guess())
      expect(statuses.at(-1)).toBe(429)
    })
  })

  describe('refreshing', () => {
    // RFC 6749 §6: "The requested scope MUST NOT include any scope not originally granted"
    it('§6 gives as much or less, and never more', async () => {
      const both = await tokens({ scope: 'invoices:read invoices:write' })
      const less = await world.wire.granted(await refresh(both.refresh_token, { scope: 'invoices:read' }))
      expect(less.scope).toBe('invoices:read')
      // RFC 6749 §6: "If a new refresh token is issued, the refresh token scope MUST be identical"
      const whole = await world.wire.granted(await refresh(less.refresh_token))
      expect(whole.scope.split(' ').sort()).toEqual(['invoices:read', 'invoices:write'])
      const one = await tokens()
      await expectRefusal(await refresh(one.refresh_token, { scope: 'invoices:read invoices:write' }), {
        error: 'invalid_scope',
        says: 'invoices:write',
      })
    })

    // RFC 6749 §10.4: "MUST maintain the binding between a refresh token and the client to whom it was issued"
    it('§6, §10.4 is for the client that it was issued to', async () => {
      const other = await world.client({ grant_types: ['authorization_code', 'refresh_token'] })
      const form = { grant_type: 'refresh_token', refresh_token: (await tokens()).refresh_token }
      await expectRefusal(await world.wire.post('/token', form, world.wire.basic(other)), {
        error: 'invalid_grant',
        says: 'refresh token is invalid',
      })
    })

    // RFC 6749 §10.4: "MUST ensure that refresh tokens cannot be generated, modified, or guessed"
    it('§10.4 takes none that was changed in any of its parts', async () => {
      const { refresh_token } = await tokens()
      for (const at of [8, Math.floor(refresh_token.length / 2), refresh_token.length - 8]) {
        const changed = `${refresh_token.slice(0, at)}${refresh_token[at] === 'A' ? 'B' : 'A'}${refresh_token.slice(at + 1)}`
        await expectRefusal(await refresh(changed), {
          error: 'invalid_grant',
          says: 'refresh token is invalid',
        })
      }
      expect((await refresh(refresh_token)).status).toBe(200)
    })
  })

  it('wrote no secret into any service’s log', async () => {
    expect(await world.wire.leaks()).toEqual({})
  })
})

/** The error that the browser takes to the client, and to nobody else. */
function errorAt(response: Response): string | null {
  const location = String(response.headers.get('location'))
  expect([response.status, location.split('?')[0]]).toEqual([303, redirectUri])
  return new URL(location).searchParams.get('error')
}

/** What the operators’ interface says is wrong (RFC 9457). */
async function problemOf(response: Response): Promise<string> {
  expect(response.status).toBe(400)
  return String(((await response.json()) as { detail: unknown }).detail)
}

/** How many characters of two texts are not the same. */
function differing(one: string, other: string): number {
  return [...one].filter((character, at) => character !== other[at]).length
}
