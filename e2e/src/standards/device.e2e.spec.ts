import { randomUUID } from 'node:crypto'
import { formOf, type Page } from '@grantlog/demonstration'
import { parseSealKeys, sealCode } from '@grantlog/oauth'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { wordsOf } from '../bad-input/requests.js'
import { type Client, expectRefusal, tampered } from '../bad-input/wire.js'
import { claimsOf } from '../exchange/exchange-world.js'
import { type RunningSystem, sharedSystem } from '../running-system.js'
import {
  Answerer,
  type DeviceAuthorization,
  DeviceWorld,
  deviceCodeGrant,
  type Form,
} from './device-world.js'
import { dpopProof, newKey, thumbprint } from './request-world.js'

describe('the device authorization grant (RFC 8628)', () => {
  let running: RunningSystem
  let world: DeviceWorld
  /** Public, as most devices are; and one whose maker keeps a secret in it. */
  let telly: Client
  let printer: Client
  beforeAll(async () => {
    running = await sharedSystem()
    world = await DeviceWorld.create(running)
    telly = await world.client()
    printer = await world.client({
      client_name: 'Printer',
      token_endpoint_auth_method: 'client_secret_basic',
      jwks: world.requests.jwks,
    })
  })

  const errorOf = async (response: Response) => ((await response.json()) as { error?: string }).error
  const pollError = async (client: Client, { device_code }: DeviceAuthorization) =>
    errorOf(await world.poll(client, device_code))
  const shows = (page: Page, words: string | RegExp, status = 200) => {
    expect(wordsOf(page.html)).toMatch(words)
    expect(page.status).toBe(status)
  }

  describe('§3.1 the device authorization request', () => {
    it('is taken from a client that authenticates, and from a public one that names itself', async () => {
      expect((await world.begin(printer)).status).toBe(200)
      expect((await world.begin(telly)).status).toBe(200)
    })

    it('treats parameters without a value as omitted, and does not mind those it does not know', async () => {
      expect((await world.begin(telly, { authorization_details: '', colour: 'red' })).status).toBe(200)
    })

    it.each<[string, () => Promise<Response>, number, string, string]>([
      ['a wrong secret', () => world.begin({ ...printer, secret: 'wrong' }), 401, 'invalid_client', 'failed'],
      ['no secret', () => world.post({ client_id: printer.id }), 401, 'invalid_client', 'failed'],
      ['an unknown client', () => world.post({ client_id: 'nobody' }), 401, 'invalid_client', 'failed'],
      ['nobody', () => world.post({}), 401, 'invalid_client', 'does not name its client'],
      [
        'a parameter twice',
        () => world.post(`client_id=${telly.id}&scope=invoices:read&scope=x`),
        400,
        'invalid_request',
        "'scope' is included more than",
      ],
      [
        'a client that may not',
        () => world.begin(world.wire.publicClient),
        400,
        'unauthorized_client',
        'device code grant',
      ],
      ['no scope', () => world.begin(telly, { scope: '' }), 400, 'invalid_scope', "'scope' is missing"],
      [
        'a foreign scope',
        () => world.begin(telly, { scope: 'clients:write' }),
        400,
        'invalid_scope',
        "'clients:write'",
      ],
      [
        'an unknown API',
        () => world.begin(telly, { resource: 'https://unknown.example/' }),
        400,
        'invalid_target',
        'No API',
      ],
      [
        'details of a type that it may not ask for',
        () => world.begin(telly, { authorization_details: '[{"type":"payment"}]' }),
        400,
        'invalid_authorization_details',
        "'payment'",
      ],
      [
        'details that are none',
        () => world.begin(telly, { authorization_details: '{' }),
        400,
        'invalid_authorization_details',
        'not JSON',
      ],
    ])('refused: %s', async (_, send, status, error, says) => {
      await expectRefusal(await send(), { status, error, says })
    })

    it('refused: another method, and another form', async () => {
      const got = await fetch(world.url('/device_authorization'))
      await expectRefusal(got, { status: 405, error: 'invalid_request', says: 'GET is not allowed' })
      const json = await fetch(world.url('/device_authorization'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
      await expectRefusal(json, { error: 'invalid_request', says: 'x-www-form-urlencoded' })
    })

    it('can be made by applications in browsers', async () => {
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
      const allowed = await fetch(world.url('/device_authorization'), { method: 'OPTIONS', headers })
      expect(allowed.headers.get('access-control-allow-origin')).toBe('*')
      const page = await fetch(world.url('/device'), { method: 'OPTIONS', headers })
      expect(page.headers.get('access-control-allow-origin')).toBeNull()
    })
  })

  describe('§3.2 the device authorization response', () => {
    it('is 200 and JSON that no cache keeps, with everything that a device shows and needs', async () => {
      const response = await world.begin(telly)
      expect(response.status).toBe(200)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': expect.stringMatching(/^application\/json\b/),
        'cache-control': 'no-store',
      })
      const body = (await response.json()) as DeviceAuthorization
      expect(body).toEqual({
        device_code: expect.any(String),
        // §6.1: "BCDFGHJKLMNPQRSTVWXZ", which "results in … 34.5 bits"
        user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
        verification_uri: world.url('/device'),
        verification_uri_complete: world.url(`/device?user_code=${body.user_code}`),
        expires_in: 600,
        interval: 5,
      })
    })

    it('has other codes each time, and the device code tells nothing (§5.2)', async () => {
      const [one, two] = [await world.begun(telly), await world.begun(telly)]
      expect(one.device_code).not.toBe(two.device_code)
      expect(one.user_code).not.toBe(two.user_code)
      const readable = one.device_code
        .split('.')
        .map(part => Buffer.from(part, 'base64url').toString('latin1'))
      for (const told of [telly.id, one.user_code]) expect(readable.join('\n')).not.toContain(told)
    })
  })

  describe('§3.3 user interaction', () => {
    it('signs in first: nobody else learns whether a code is good', async () => {
      const codes = await world.begun(telly)
      for (const code of [codes.user_code, 'BBBB-BBBB']) {
        const response = await fetch(world.url(`/device?user_code=${code}`))
        expect(response.status).toBe(200)
        const words = wordsOf(await response.text())
        expect(words).toContain('Sign in to connect a device')
        expect(words).not.toContain('Telly')
      }
    })

    it('asks for the code, takes it as people type it (§6.1), says that a device asks, and sends them back to it', async () => {
      const codes = await world.begun(telly)
      const consent = await world.ada.enter(` ${codes.user_code.toLowerCase().replace('-', ' ')} `)
      shows(consent, 'Telly wants to access Invoices')
      shows(consent, `You allow it for the device that shows the code ${codes.user_code}`)
      shows(consent, 'Read your invoices')
      const done = await world.ada.decide(consent)
      shows(done, 'Your device is connected')
      shows(done, 'You can go back to your device now')
      expect((await world.tokens(telly, codes)).scope).toBe('invoices:read')
    })

    it('is for a company too', async () => {
      const codes = await world.begun(telly)
      const { id } = running.demo.company
      await world.ada.answer(codes, { owner: `organization:${id}` })
      const { access_token } = await world.tokens(telly, codes)
      expect(claimsOf(access_token)).toMatchObject({ organization: id, sub: running.demo.person.id })
    })

    it('asks again for whom, when the choice is none of hers', async () => {
      const codes = await world.begun(telly)
      const consent = await world.ada.enter(codes.user_code)
      const again = await world.ada.decide(consent, { owner: `organization:${randomUUID()}` })
      shows(again, 'You may not decide for that one', 400)
      const owner = `person:${running.demo.person.id}`
      shows(await world.ada.decide(again, { owner }), 'Your device is connected')
    })

    it.each([
      ['what is no code', 'hello', 'That is not a code'],
      ['nothing', '', 'That is not a code'],
      ['a code that nobody gave out', 'BBBB-BBBB', 'No device has this code'],
      ['control characters', 'WDJB\u0000MJHT', 'control character'],
      ['a very long text', 'B'.repeat(9000), 'longer than'],
    ])('says what is wrong with %s', async (_, typed, says) => {
      shows(await world.ada.enter(typed), says, 400)
    })
  })

  describe('§3.3.1 the verification URI that has the code in it', () => {
    it('still wants the code to be compared with the device (§5.4): nothing is asked before', async () => {
      const codes = await world.begun(telly)
      const { pathname, search } = new URL(codes.verification_uri_complete)
      const page = await world.ada.open(`${pathname}${search}`)
      shows(page, 'Is this the code of your device?')
      shows(page, 'If somebody sent you the link, close this page')
      expect(page.html).not.toContain('name="decision"')
      const form = formOf(page, /device$/)
      expect(form.fields.user_code).toBe(codes.user_code)
      const consent = await world.ada.visitor.submit(page, form, {})
      shows(await world.ada.decide(consent), 'Your device is connected')
    })

    it('keeps the code through sign-in', async () => {
      const codes = await world.begun(telly)
      const { pathname, search } = new URL(codes.verification_uri_complete)
      const page = await new Answerer(running, running.demo.person).open(`${pathname}${search}`)
      expect(formOf(page, /device$/).fields.user_code).toBe(codes.user_code)
    })

    it.each(['?user_code=%00', '?user_code=<script>', '?user_code=a&user_code=b', '?user_code'])(
      'takes nothing from %s',
      async query => {
        shows(await world.ada.open(`/device${query}`), 'The code of your device')
      },
    )
  })

  describe('§3.4 the device access token request', () => {
    it.each<[string, (codes: DeviceAuthorization) => Promise<Response>, string, string]>([
      ['no device_code', () => world.poll(telly, ''), 'invalid_request', "'device_code' is missing"],
      ['a code that is none', () => world.poll(telly, 'made-up'), 'invalid_grant', 'is invalid'],
      [
        'a changed code',
        codes => world.poll(telly, tampered(codes.device_code)),
        'invalid_grant',
        'is invalid',
      ],
      [
        'another client’s',
        codes => world.poll(printer, codes.device_code),
        'invalid_grant',
        'another client',
      ],
      [
        'a client that may not',
        codes => world.poll(world.wire.publicClient, codes.device_code),
        'unauthorized_client',
        'not registered for the grant type',
      ],
      [
        'a device code as an authorization code',
        codes =>
          world.wire.post(
            '/token',
            world.wire.redemption(world.wire.confidential, {
              code: codes.device_code,
              verifier: 'v'.repeat(43),
            }),
            world.wire.basic(world.wire.confidential),
          ),
        'invalid_grant',
        'authorization code is invalid',
      ],
      [
        'details that were not asked for',
        codes => world.poll(telly, codes.device_code, { authorization_details: '[{"type":"payment"}]' }),
        'invalid_authorization_details',
        'not among those',
      ],
    ])('refused: %s', async (_, send, error, says) => {
      await expectRefusal(await send(await world.begun(telly)), { error, says })
    })

    it('refused: an authorization code as a device code', async () => {
      const { code } = await world.wire.authorize(world.wire.confidential)
      await expectRefusal(await world.poll(telly, code), { error: 'invalid_grant', says: 'is invalid' })
    })

    it('a client with credentials must authenticate (RFC 6749 §3.2.1)', async () => {
      const codes = await world.begun(printer)
      const form = { grant_type: deviceCodeGrant, device_code: codes.device_code, client_id: printer.id }
      await expectRefusal(await world.wire.post('/token', form), {
        status: 401,
        error: 'invalid_client',
        says: 'failed',
      })
    })

    it('refused: another resource than that of the grant (RFC 8707 §2.2)', async () => {
      const codes = await world.begun(telly)
      await world.ada.answer(codes)
      const response = await world.answered(() =>
        world.poll(telly, codes.device_code, { resource: 'https://other.example/' }),
      )
      await expectRefusal(response, { error: 'invalid_target', says: 'another resource' })
    })
  })

  describe('§3.5 the device access token response', () => {
    it('is authorization_pending until somebody has answered', async () => {
      const codes = await world.begun(telly)
      await expectRefusal(await world.poll(telly, codes.device_code), {
        error: 'authorization_pending',
        says: 'Nobody has answered yet',
      })
      await world.ada.enter(codes.user_code)
      await world.wait(5)
      expect(await pollError(telly, codes)).toBe('authorization_pending')
    })

    it('is slow_down for who asks too soon, and "the interval MUST be increased by 5 seconds"', async () => {
      const codes = await world.begun(telly)
      expect(await pollError(telly, codes)).toBe('authorization_pending')
      await expectRefusal(await world.poll(telly, codes.device_code), {
        error: 'slow_down',
        says: 'five seconds',
      })
      await world.wait(5)
      expect(await pollError(telly, codes)).toBe('slow_down')
      await world.wait(15)
      expect(await pollError(telly, codes)).toBe('authorization_pending')
      await world.wait(15)
      expect(await pollError(telly, codes)).toBe('authorization_pending')
    })

    it('counts each device by itself, and once however many ask at the same time', async () => {
      const codes = await world.begun(telly)
      const answers = await Promise.all(Array.from({ length: 5 }, () => pollError(telly, codes)))
      expect(answers.toSorted()).toEqual(['authorization_pending', ...Array(4).fill('slow_down')])
      expect(await pollError(telly, await world.begun(telly))).toBe('authorization_pending')
    })

    it('is access_denied when she denied it, now and later', async () => {
      const codes = await world.begun(telly)
      const { result: page, log } = await running.logged(() => world.ada.answer(codes, { decision: 'deny' }))
      shows(page, 'Your device gets no access')
      expect(log.map(({ type }) => type)).toEqual(['grant.denied', 'grant.device-denied'])
      for (let twice = 0; twice < 2; twice++) {
        const response = await world.answered(() => world.poll(telly, codes.device_code))
        await expectRefusal(response, { error: 'access_denied', says: 'denied' })
      }
    })

    it('is expired_token when the code has expired', async () => {
      const { codeKeys } = running.installation.secrets
      const claims = { deviceId: randomUUID(), clientId: telly.id }
      const expiresAt = Math.floor(Date.now() / 1000) - 1
      const code = await sealCode(claims, parseSealKeys(codeKeys), { expiresAt, kind: 'device code' })
      await expectRefusal(await world.poll(telly, code), { error: 'expired_token', says: 'begin again' })
    })

    it('is tokens when she allowed it, and a refresh token that rotates', async () => {
      const codes = await world.begun(printer)
      const { log: approved } = await running.logged(() => world.ada.answer(codes))
      expect(approved.map(({ type }) => type)).toEqual(['grant.approved', 'grant.device-approved'])
      const { result: tokens, log } = await running.logged(() => world.tokens(printer, codes))
      expect(log.map(({ type }) => type)).toEqual(['code.redeemed', 'token.issued'])
      expect(log.at(-1)?.data).toMatchObject({ grantType: deviceCodeGrant })
      expect(claimsOf(tokens.access_token)).toMatchObject({
        client_id: printer.id,
        sub: running.demo.person.id,
        aud: running.audience,
        scope: 'invoices:read',
        grant: approved[0]?.data.grantId,
        family: approved[1]?.data.deviceId,
        auth_time: expect.any(Number),
      })
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
      const refreshed = await world.wire.post('/token', form, world.wire.basic(printer))
      expect((await world.wire.granted(refreshed)).scope).toBe('invoices:read')
    })

    it('has no refresh token for a client that may not refresh', async () => {
      const plain = await world.client({ grant_types: [deviceCodeGrant] })
      const codes = await world.begun(plain)
      await world.ada.answer(codes)
      expect(await world.tokens(plain, codes)).not.toHaveProperty('refresh_token')
    })
  })

  describe('§5.1 user codes can not be guessed', () => {
    it('few wrong ones are taken from a person, in however many sessions; right ones are not counted', async () => {
      const { prover } = running.demo
      const right = await world.begun(telly)
      const refusals: Page[] = []
      for (let tries = 0; tries < 12; tries++)
        shows(await new Answerer(running, prover).enter(right.user_code), 'Telly wants to access')
      for (let tries = 0; tries < 25 && refusals.length === 0; tries++) {
        const guesser = new Answerer(running, prover)
        const page = await guesser.enter('CCCC-CCCC')
        if (page.status === 429) refusals.push(page)
        else shows(page, 'No device has this code', 400)
      }
      expect(refusals).toHaveLength(1)
      for (const page of refusals) shows(page, /Too many attempts\. Try again in \d+ minutes\./, 429)
      // also the right one, now
      shows(await new Answerer(running, prover).enter(right.user_code), 'Too many attempts', 429)
      // and nobody else suffers
      shows(await world.ada.enter(right.user_code), 'Telly wants to access')
    })

    it('none can be tried where the decision is made', async () => {
      const [mine, other] = [await world.begun(telly), await world.begun(telly)]
      const page = await world.ada.enter(mine.user_code)
      const form = formOf(page, /device\/decision/)
      const forged = { user_code: other.user_code, decision: 'approve' }
      shows(await world.ada.visitor.submit(page, form, forged), 'The form was not made for this browser', 403)
    })

    it('each is good for one answer', async () => {
      const codes = await world.begun(telly)
      const [first, second] = [await world.ada.enter(codes.user_code), await world.ada.enter(codes.user_code)]
      const { log } = await running.logged(async () => {
        shows(await world.ada.decide(first), 'Your device is connected')
        // the same form, sent twice
        shows(await world.ada.decide(first), 'Your device is connected')
        shows(await world.ada.decide(second, { decision: 'deny' }), 'This code was used already', 400)
        shows(await world.ada.enter(codes.user_code), 'This code was used already', 400)
      })
      expect(log.filter(({ type }) => type === 'grant.device-approved')).toHaveLength(1)
      expect(log.filter(({ type }) => type === 'grant.device-denied')).toEqual([])
    })

    it('none is good for longer than it was said, and that is told', async () => {
      const codes = await world.begun(telly)
      const page = await world.ada.enter(codes.user_code)
      await world.expire()
      shows(await world.ada.enter(codes.user_code), 'This code has expired', 400)
      shows(await world.ada.decide(page), 'This code has expired', 400)
      expect(await pollError(telly, codes)).toBe('authorization_pending')
    })

    it('none stands in an event or in a log', async () => {
      const codes = await world.begun(telly)
      const { log } = await running.logged(() => world.ada.answer(codes))
      expect(log.length).toBeGreaterThan(0)
      expect(JSON.stringify(log)).not.toMatch(/[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}/)
      expect(await world.leakedUserCodes()).toEqual([])
    })
  })

  describe('§5.2 a device code that is used twice', () => {
    it('is refused, and ends what came of it (RFC 6749 §4.1.2)', async () => {
      const codes = await world.begun(telly)
      await world.ada.answer(codes)
      const { refresh_token } = await world.tokens(telly, codes)
      await world.wait(60)
      const { result, log } = await running.logged(() => world.poll(telly, codes.device_code))
      await expectRefusal(result, { error: 'invalid_grant', says: 'used before' })
      expect(log.map(({ type }) => type)).toEqual(['code.replayed', 'token.revoked'])
      const form = { grant_type: 'refresh_token', refresh_token, client_id: telly.id }
      await expectRefusal(await world.wire.post('/token', form), { error: 'invalid_grant', says: 'revoked' })
    })

    it('is no replay when a device asks twice at once: one gets the tokens, the other is told to wait', async () => {
      const codes = await world.begun(telly)
      await world.ada.answer(codes)
      const first = await world.answered(() => world.poll(telly, codes.device_code))
      expect([first.status, await pollError(telly, codes)]).toEqual([200, 'slow_down'])
    })
  })

  it('a grant that was revoked before the device asked gives nothing', async () => {
    const gone = await world.client({ client_name: 'Gone' })
    const codes = await world.begun(gone)
    const { log } = await running.logged(() => world.ada.answer(codes))
    const grantId = String(log[0]?.data.grantId)
    const page = await world.ada.visitor.open(world.url('/grants'))
    await world.ada.visitor.submit(page, formOf(page, new RegExp(`${grantId}/revoke`)), {})
    const response = await world.answered(async () => {
      const answer = await world.poll(gone, codes.device_code)
      // the revocation travels by the same log, after the approval
      if (answer.ok) throw new Error('The token service has not heard of the revocation')
      return answer
    })
    await expectRefusal(response, { error: 'invalid_grant', says: 'revoked' })
  })

  it('tokens are bound to the key of the poll (RFC 9449 §5), and so is a public client’s refresh token', async () => {
    const key = newKey()
    const tokenUrl = world.wire.url('/token')
    const codes = await world.begun(telly)
    await world.ada.answer(codes)
    const refused = await world.poll(telly, codes.device_code, {}, { dpop: dpopProof(tokenUrl, key) })
    const nonce = refused.headers.get('dpop-nonce') ?? ''
    const proven = (form: Form) =>
      world.poll(telly, codes.device_code, form, { dpop: dpopProof(tokenUrl, key, { nonce }) })
    const tokens = await world.wire.granted(await world.answered(() => proven({})))
    expect(claimsOf(tokens.access_token).cnf).toEqual({ jkt: thumbprint(key) })
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
    const stolen = await world.wire.post('/token', { ...form, client_id: telly.id })
    await expectRefusal(stolen, { error: 'invalid_grant', says: 'bound to a key' })
    expect((await proven(form)).status).toBe(200)
  })

  it('authorization details reach the token, and the log has their digest (RFC 9396)', async () => {
    const kiosk = 'https://kiosk.example/'
    const payment = { type: 'payment', creditor: 'Merchant A' }
    const fields = [{ name: 'creditor', text: 'To' }]
    const api = {
      api_id: 'kiosk',
      audience: kiosk,
      name: 'Kiosk',
      scopes: [{ name: 'kiosk', text: 'Kiosk', access: 'read' }],
    }
    const types = [{ type: 'payment', text: 'Pay once', fields }]
    expect((await world.requests.registerApi({ ...api, authorization_details_types: types })).status).toBe(
      201,
    )
    const payer = await world.client({ scope: 'kiosk', authorization_details_types: ['payment'] })
    const codes = await world.begun(payer, {
      scope: '',
      resource: kiosk,
      authorization_details: JSON.stringify([payment]),
    })
    const consent = await world.ada.enter(codes.user_code)
    shows(consent, 'Pay once')
    shows(consent, 'Merchant A')
    const { log } = await running.logged(() => world.ada.decide(consent))
    expect(log.at(-1)?.data).toMatchObject({ detailsDigest: expect.stringMatching(/^[\w-]{43}$/) })
    expect(JSON.stringify(log)).not.toContain('Merchant')
    const { access_token } = await world.tokens(payer, codes)
    expect(claimsOf(access_token).authorization_details).toEqual([payment])
  })

  describe('with independent clients', () => {
    it('openid-client, a client with a secret', async () => {
      const config = await oidc.discovery(
        new URL(world.requests.issuer),
        printer.id,
        undefined,
        oidc.ClientSecretBasic(printer.secret ?? ''),
        { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] },
      )
      const codes = await oidc.initiateDeviceAuthorization(config, {
        scope: 'invoices:read',
        resource: running.audience,
      })
      const [tokens] = await Promise.all([
        oidc.pollDeviceAuthorizationGrant(config, codes),
        world.ada.decide(await world.ada.enter(codes.user_code)),
      ])
      expect(tokens.scope).toBe('invoices:read')
      expect((await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).scope).toBe('invoices:read')
    })

    it('oauth4webapi, a public client', async () => {
      const options = { [oauth.allowInsecureRequests]: true } as const
      const issuer = new URL(world.requests.issuer)
      const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
      const server = await oauth.processDiscoveryResponse(issuer, discovered)
      const self: oauth.Client = { client_id: telly.id }
      const parameters = { scope: 'invoices:read', resource: running.audience }
      const response = await oauth.deviceAuthorizationRequest(server, self, oauth.None(), parameters, options)
      const codes = await oauth.processDeviceAuthorizationResponse(server, self, response)
      const poll = () => oauth.deviceCodeGrantRequest(server, self, oauth.None(), codes.device_code, options)
      await expect(oauth.processDeviceCodeResponse(server, self, await poll())).rejects.toMatchObject({
        error: 'authorization_pending',
      })
      await world.ada.decide(await world.ada.enter(codes.user_code))
      const tokens = await oauth.processDeviceCodeResponse(server, self, await world.answered(poll))
      expect(tokens).toMatchObject({ scope: 'invoices:read', token_type: 'bearer' })
    })
  })

  it('wrote no secret into any log', async () => {
    expect(await world.wire.leaks()).toEqual({})
  })
})
