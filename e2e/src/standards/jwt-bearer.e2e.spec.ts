import { randomUUID } from 'node:crypto'
import type { LogLine } from '@grantlog/launcher'
import { foreignSubject, jwtBearerGrantType } from '@grantlog/oauth'
import { eventually } from '@grantlog/testing'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Client, expectRefusal } from '../bad-input/wire.js'
import { claimsOf } from '../exchange/exchange-world.js'
import { type RunningSystem, sharedSystem, untilStatus } from '../running-system.js'
import { type Claims, type KeyPair, newKey, RequestWorld, signed } from './request-world.js'

const idp = 'https://idp.example'
type Form = Readonly<Record<string, string>>

describe('JWTs as authorization grants (RFC 7523 §2.1)', () => {
  let running: RunningSystem
  let world: RequestWorld
  let client: Client
  const key = newKey()
  const other = newKey()
  beforeAll(async () => {
    running = await sharedSystem()
    world = await RequestWorld.create(running)
    client = await registered()
  })

  const jwks = ({ publicKey }: KeyPair) => ({ keys: [publicKey.export({ format: 'jwk' })] })
  const registered = () =>
    world.client({
      grant_types: ['authorization_code', jwtBearerGrantType],
      jwt_bearer: [
        { issuer: idp, jwks: jwks(key), audience: running.audience, scope: 'invoices:read' },
        {
          issuer: 'https://wide.example',
          jwks: jwks(other),
          audience: running.audience,
          scope: 'invoices:read',
        },
        { issuer: 'https://wide.example', jwks: jwks(other), audience: 'urn:grantlog:platform', scope: 'x' },
      ],
    })

  function assertion(change: Claims = {}, by = key, header: Claims = {}): string {
    const now = Math.floor(Date.now() / 1000)
    const right = { iss: idp, sub: 'ada@idp.example', aud: world.issuer, iat: now, exp: now + 60 }
    return signed({ ...right, jti: randomUUID(), ...change }, header, by)
  }
  const send = (text = assertion(), form: Form = {}, by = client) =>
    world.wire.post(
      '/token',
      { grant_type: jwtBearerGrantType, assertion: text, ...world.wire.named(by), ...form },
      world.wire.authentication(by),
    )
  const tokens = async (response: Promise<Response>) => world.wire.granted(await response)
  const read = (token: string) => fetch(running.audience, { headers: { authorization: `Bearer ${token}` } })
  const told = async (token: string) =>
    (await (await world.wire.post('/introspect', { token }, world.wire.basic(client))).json()) as Claims

  it('are good for a token of the subject that the issuer names, and for no refresh token', async () => {
    const { result, log } = await running.logged(() => tokens(send()))
    expect(result).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'invoices:read',
    })
    const subject = foreignSubject(idp, 'ada@idp.example')
    expect(claimsOf(result.access_token)).toMatchObject({
      sub: subject,
      client_id: client.id,
      aud: running.audience,
    })
    expect(log).toMatchObject([
      { type: 'token.issued', data: { grantType: jwtBearerGrantType, subject, assertedBy: idp } },
    ] satisfies Partial<LogLine>[])
    expect(JSON.stringify(log)).not.toContain('ada@')
    expect(await told(result.access_token)).toMatchObject({ active: true, sub: subject })
  })

  it('are good once (§3.7)', async () => {
    const text = assertion()
    await tokens(send(text))
    await expectRefusal(await send(text), { error: 'invalid_grant', says: 'was used before' })
  })

  it('are good once also for those who come together', async () => {
    const text = assertion()
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(text)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('are for the API that the operator said, by name too', async () => {
    expect(await tokens(send(assertion(), { resource: running.audience }))).toMatchObject({
      scope: 'invoices:read',
    })
    const wide = assertion({ iss: 'https://wide.example' }, other)
    await expectRefusal(await send(wide), { error: 'invalid_target', says: 'several APIs' })
    await tokens(send(wide, { resource: running.audience })) // it was not used up
  })

  it.each<[string, () => string, Form, string, string]>([
    [
      '§3.1 of an issuer that nobody knows',
      () => assertion({ iss: 'https://x.example' }),
      {},
      'invalid_grant',
      'no issuer that is trusted',
    ],
    ['§3.9 signed by another', () => assertion({}, other), {}, 'invalid_grant', 'no issuer that is trusted'],
    [
      '§3.9 signed by another trusted issuer',
      () => assertion({ iss: 'https://wide.example' }),
      { resource: 'urn:grantlog:platform' },
      'invalid_grant',
      'no issuer that is trusted',
    ],
    ['§3.9 not signed', () => assertion({}, key, { alg: 'none' }), {}, 'invalid_grant', 'must be signed'],
    ['§3.2 without a subject', () => assertion({ sub: undefined }), {}, 'invalid_grant', 'sub'],
    ['§3.3 for another server', () => assertion({ aud: 'https://x.example' }), {}, 'invalid_grant', 'aud'],
    ['§3.4 too late', () => assertion({ exp: 1 }), {}, 'invalid_grant', 'has expired'],
    ['§3.10 that is no JWT', () => 'x', {}, 'invalid_grant', 'not a signed JWT'],
    ['§2.1 that is missing', () => '', {}, 'invalid_request', "'assertion' is missing"],
    [
      'for another resource',
      () => assertion(),
      { resource: 'urn:grantlog:platform' },
      'invalid_target',
      'not trusted for the resource',
    ],
    [
      'for more scopes',
      () => assertion(),
      { scope: 'invoices:read invoices:write' },
      'invalid_scope',
      "'invoices:write'",
    ],
    [
      'for no scope of the API',
      () => assertion({ iss: 'https://wide.example' }, other),
      { resource: 'urn:grantlog:platform' },
      'invalid_scope',
      'no scope',
    ],
  ])('are refused: %s', async (_, text, form, error, says) => {
    await expectRefusal(await send(text(), form), { error, says })
  })

  it('are refused from a client that may not, or does not authenticate (RFC 7521 §3.1)', async () => {
    for (const by of [world.wire.publicClient, world.wire.confidential])
      await expectRefusal(await send(assertion(), {}, by), {
        error: 'unauthorized_client',
        says: 'grant type',
      })
    await expectRefusal(await send(assertion(), {}, { ...client, secret: 'another' }), {
      status: 401,
      error: 'invalid_client',
      says: 'Client authentication failed',
    })
  })

  it('their tokens are revoked by themselves, and with their client', async () => {
    const { access_token } = await tokens(send())
    await world.wire.post('/revoke', { token: access_token }, world.wire.basic(client))
    expect(await told(access_token)).toEqual({ active: false })
    const another = await registered()
    const second = await tokens(send(assertion(), {}, another))
    await untilStatus(403, () => read(second.access_token)) // invoices belong to persons and companies
    await world.suspend(another)
    await untilStatus(401, () => read(second.access_token))
    await eventually(async () => expect((await send(assertion(), {}, another)).status).toBe(401))
  })

  it.each<[string, object]>([
    ['for a public client', { token_endpoint_auth_method: 'none' }],
    ['without an issuer', { jwt_bearer: undefined }],
    ['without the grant type', { grant_types: ['authorization_code'] }],
    [
      'with a private key',
      {
        jwt_bearer: [
          {
            issuer: idp,
            jwks: { keys: [key.privateKey.export({ format: 'jwk' })] },
            audience: 'https://a.example',
            scope: 'a',
          },
        ],
      },
    ],
    [
      'with a shared secret',
      {
        jwt_bearer: [
          {
            issuer: idp,
            jwks: { keys: [{ kty: 'oct', k: 'AA' }] },
            audience: 'https://a.example',
            scope: 'a',
          },
        ],
      },
    ],
  ])('are not registered %s', async (_, change) => {
    const trusted = { issuer: idp, jwks: jwks(key), audience: 'https://a.example', scope: 'a' }
    const response = await world.register({
      client_name: 'Wrong',
      redirect_uris: ['https://client.example/callback'],
      grant_types: ['authorization_code', jwtBearerGrantType],
      scope: 'a',
      jwt_bearer: [trusted],
      ...change,
    })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('"d"')
  })
})
