import { beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningSystem, sharedSystem, untilStatus } from '../running-system.js'
import { forgeries } from './forgeries.js'
import { type Client, type Code, expectRefusal, type Tokens, tampered, Wire, type Wrong } from './wire.js'

interface Material {
  readonly tokens: Tokens
  readonly foreign: Tokens
  readonly code: Code
}

const basicChallenge = { 'www-authenticate': expect.stringMatching(/^Basic realm="/) }

/** What is wrong at both endpoints. RFC 7009 §2.1, RFC 7662 §2.1 */
function wrongAt(path: '/revoke' | '/introspect'): readonly Wrong<Material>[] {
  const invalidRequest = (name: string, form: string, says: string): Wrong<Material> => ({
    name,
    send: wire => wire.post(path, form, wire.basic(wire.confidential)),
    error: 'invalid_request',
    says,
  })
  return [
    invalidRequest('no body', '', "'token' is missing"),
    invalidRequest('token empty', 'token=', "'token' is missing"),
    invalidRequest('token twice', 'token=a&token=b', "'token' is included more than once"),
    invalidRequest('token too long', `token=${'x'.repeat(4097)}`, "'token' is longer than"),
    invalidRequest('token malformed', 'token=%a', "'token' is not percent-encoded UTF-8"),
    invalidRequest('token that is no UTF-8', 'token=%c3%28', "'token' is not percent-encoded UTF-8"),
    invalidRequest(
      'token_type_hint twice',
      'token=a&token_type_hint=b&token_type_hint=c',
      "'token_type_hint' is included more than once",
    ),
    {
      name: 'token in the URL',
      send: wire => wire.post(`${path}?token=abc`, '', wire.basic(wire.confidential)),
      error: 'invalid_request',
      says: "'token' is missing",
    },
    {
      name: 'JSON',
      send: (wire, { tokens }) =>
        wire.post(path, JSON.stringify({ token: tokens.access_token }), {
          ...wire.basic(wire.confidential),
          'content-type': 'application/json',
        }),
      error: 'invalid_request',
      says: 'application/x-www-form-urlencoded',
    },
    {
      name: 'XML',
      send: wire => wire.post(path, '<token/>', { 'content-type': 'application/xml' }),
      status: 415,
      error: 'invalid_request',
      says: 'content type',
    },
    {
      name: 'a wrong secret',
      send: (wire, { tokens }) =>
        wire.post(
          path,
          { token: tokens.access_token },
          wire.basic({ id: wire.confidential.id, secret: 'not-the-secret-of-it' }),
        ),
      status: 401,
      error: 'invalid_client',
      says: 'Client authentication failed',
      headers: basicChallenge,
    },
    {
      name: 'no client',
      send: (wire, { tokens }) => wire.post(path, { token: tokens.access_token }),
      status: 401,
      error: 'invalid_client',
      says: 'does not name its client',
    },
    {
      name: 'a confidential client without its secret',
      send: (wire, { tokens }) =>
        wire.post(path, { token: tokens.access_token, client_id: wire.confidential.id }),
      status: 401,
      error: 'invalid_client',
      says: 'Client authentication failed',
    },
    {
      name: 'an access token as the caller’s credentials',
      send: (wire, { tokens }) =>
        wire.post(path, { token: 'x' }, { authorization: `Bearer ${tokens.access_token}` }),
      status: 401,
      error: 'invalid_client',
      says: 'Basic client credentials',
      headers: basicChallenge,
    },
    {
      name: 'two authentication methods',
      send: (wire, { tokens }) =>
        wire.post(
          path,
          {
            token: tokens.access_token,
            client_id: wire.confidential.id,
            client_secret: wire.confidential.secret ?? '',
          },
          wire.basic(wire.confidential),
        ),
      error: 'invalid_request',
      says: 'more than one client authentication method',
    },
    ...['GET', 'PUT', 'DELETE'].map(method => ({
      name: `method ${method}`,
      send: (wire: Wire) => fetch(wire.url(path), { method }),
      status: 405,
      error: 'invalid_request',
      says: `${method} is not allowed`,
      headers: { allow: 'POST' },
    })),
  ]
}

/** RFC 7662 §2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of authorization" */
const publicClient: Wrong<Material> = {
  name: 'a public client, even about its own token',
  send: (wire, { foreign }) =>
    wire.post('/introspect', { token: foreign.access_token, client_id: wire.publicClient.id }),
  status: 401,
  error: 'invalid_client',
  says: 'needs a client that authenticates',
}

/** What is no token of the confidential client's, and so is answered alike. */
const notItsOwn: readonly { name: string; token: (material: Material) => string }[] = [
  { name: 'made up', token: () => 'made-up' },
  { name: 'in other alphabets', token: () => ' ~ü€𝄞 ' },
  { name: 'a family that there is not', token: () => `${crypto.randomUUID()}.${'x'.repeat(43)}` },
  { name: 'a refresh token, tampered with', token: ({ tokens }) => tampered(tokens.refresh_token) },
  { name: 'a code', token: ({ code }) => code.code },
  { name: 'another client’s refresh token', token: ({ foreign }) => foreign.refresh_token },
  { name: 'another client’s access token', token: ({ foreign }) => foreign.access_token },
  ...forgeries.map(({ name, forge }) => ({
    name: `an access token with ${name}`,
    token: ({ tokens }: Material) => forge(tokens.access_token),
  })),
]

describe('revocation and introspection', () => {
  let running: RunningSystem
  let wire: Wire
  let material: Material
  beforeAll(async () => {
    running = await sharedSystem()
    wire = new Wire(running)
    material = {
      tokens: await wire.tokens(wire.confidential),
      foreign: await wire.tokens(wire.publicClient),
      code: await wire.authorize(wire.confidential),
    }
  })

  const revoke = (token: string, client = wire.confidential, more: Record<string, string> = {}) =>
    wire.post('/revoke', { token, ...wire.named(client), ...more }, wire.authentication(client))
  const introspect = async (token: string, client: { id: string; secret?: string } = wire.confidential) => {
    const response = await wire.post('/introspect', { token }, wire.basic(client))
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    return (await response.json()) as Record<string, unknown>
  }
  /** Tokens whose own events have their numbers: what is logged from then on is of later requests. */
  const settledTokens = async (client: Client) => (await running.logged(() => wire.tokens(client))).result
  const invoices = (token: string) =>
    fetch(running.audience, { headers: { authorization: `Bearer ${token}` } })
  const refresh = (token: string, client = wire.confidential) =>
    wire.post(
      '/token',
      { grant_type: 'refresh_token', refresh_token: token, ...wire.named(client) },
      wire.authentication(client),
    )

  for (const path of ['/revoke', '/introspect'] as const) {
    describe(`POST ${path} with wrong input`, () => {
      it.each([...wrongAt(path), ...(path === '/introspect' ? [publicClient] : [])])('$name', async row => {
        await expectRefusal(await row.send(wire, material), row)
      })
    })
  }

  it.each(notItsOwn)('$name: revoked is 200, introspected is inactive and no more', async ({ token }) => {
    // RFC 7009 §2.2: "invalid tokens do not cause an error response"
    const revoked = await revoke(token(material))
    expect({ status: revoked.status, body: await revoked.text() }).toEqual({ status: 200, body: '' })
    // RFC 7662 §2.2: "the authorization server SHOULD NOT include any additional information"
    expect(await introspect(token(material))).toEqual({ active: false })
  })

  it('appended nothing to any log, and every token is as good as before', async () => {
    const { log } = await running.logged(async () => {
      const rows = [...wrongAt('/revoke'), ...wrongAt('/introspect'), publicClient]
      await Promise.all(rows.map(row => row.send(wire, material)))
      await Promise.all(notItsOwn.map(({ token }) => revoke(token(material))))
    })
    expect(log).toEqual([])
    for (const token of [material.tokens.access_token, material.tokens.refresh_token]) {
      expect(await introspect(token)).toMatchObject({ active: true })
    }
    await untilStatus(200, () => invoices(material.foreign.access_token))
  })

  it('introspection tells a client of its own tokens what RFC 7662 §2.2 names', async () => {
    const { access_token, refresh_token } = material.tokens
    const told = {
      active: true,
      scope: 'invoices:read',
      client_id: wire.confidential.id,
      sub: running.demo.person.id,
      aud: running.audience,
      iss: running.installation.url('token'),
      exp: expect.any(Number),
    }
    expect(await introspect(access_token)).toMatchObject({
      ...told,
      token_type: 'Bearer',
      iat: expect.any(Number),
      jti: expect.any(String),
    })
    const ofRefresh = await introspect(refresh_token)
    expect(ofRefresh).toMatchObject(told)
    // RFC 7662 §2.2: token_type is that of RFC 6749 §5.1, which a refresh token has not
    expect(ofRefresh).not.toHaveProperty('token_type')
  })

  it('a client with the scope tokens:introspect is told of every client’s tokens', async () => {
    const { operator } = running.demo
    for (const token of [material.foreign.access_token, material.foreign.refresh_token]) {
      expect(await introspect(token, operator)).toMatchObject({
        active: true,
        client_id: wire.publicClient.id,
      })
    }
  })

  for (const [face, hint] of [
    ['confidential', 'access_token'],
    ['publicClient', 'refresh_token'], // RFC 7009 §2.1: a wrong hint must not hinder
  ] as const) {
    it(`an access token is revoked by its own client, not by another: ${face}`, async () => {
      const client = wire[face]
      const other = face === 'confidential' ? wire.publicClient : wire.confidential
      const { access_token, refresh_token } = await settledTokens(client)
      await untilStatus(200, () => invoices(access_token))

      const { log: nothing } = await running.logged(() => revoke(access_token, other))
      expect(nothing).toEqual([])
      expect((await invoices(access_token)).status).toBe(200)

      const { log } = await running.logged(() => revoke(access_token, client, { token_type_hint: hint }))
      expect(log.map(({ type, data }) => [type, data])).toMatchObject([
        ['token.revoked', { target: { kind: 'token' } }],
      ])
      expect(await introspect(access_token, running.demo.operator)).toEqual({ active: false })
      await untilStatus(401, () => invoices(access_token))

      const { log: again } = await running.logged(() => revoke(access_token, client))
      expect(again).toEqual([])
      expect((await refresh(refresh_token, client)).status).toBe(200)
    })

    it(`a refresh token ends its family for its own client, not for another: ${face}`, async () => {
      const client = wire[face]
      const other = face === 'confidential' ? wire.publicClient : wire.confidential
      const { access_token, refresh_token } = await settledTokens(client)

      const { log: nothing } = await running.logged(() => revoke(refresh_token, other))
      expect(nothing).toEqual([])

      const { log } = await running.logged(() => revoke(refresh_token, client, { token_type_hint: hint }))
      expect(log.map(({ type, data }) => [type, data])).toMatchObject([
        ['token.revoked', { target: { kind: 'family' } }],
      ])
      // RFC 7009 §2.1: "the authorization server SHOULD also invalidate all access tokens based on the same … grant"
      for (const token of [refresh_token, access_token]) {
        expect(await introspect(token, running.demo.operator)).toEqual({ active: false })
      }
      await untilStatus(401, () => invoices(access_token))
      await expectRefusal(await refresh(refresh_token, client), {
        error: 'invalid_grant',
        says: 'refresh token is invalid',
      })
    })
  }

  it('a token that a client has for itself is revoked by it alone, and not by its id in a forgery of another', async () => {
    const { operator } = running.demo
    const token = await wire.operatorToken()
    const byOperator = () => wire.post('/revoke', { token }, wire.basic(operator))
    const [header, payload] = token.split('.')
    for (const text of [token, `${header}.${payload}.`, `.${payload}.x`]) {
      const { log } = await running.logged(() => revoke(text))
      expect(log).toEqual([])
    }
    expect(await introspect(token, operator)).toMatchObject({ active: true })

    const { log } = await running.logged(byOperator)
    expect(log.map(({ type, data }) => [type, data])).toMatchObject([
      ['token.revoked', { target: { kind: 'token' } }],
    ])
    expect(await introspect(token, operator)).toEqual({ active: false })
    const { log: again } = await running.logged(byOperator)
    expect(again).toEqual([])
  })

  it.each([
    ['no JSON', 'x'],
    ['no object', '1'],
    ['an id with a NUL', '{"jti":"\\u0000"}'],
    ['an id that is a number', '{"jti":1}'],
  ])('what looks like a token, with %s, is answered alike', async (_, payload) => {
    const response = await revoke(`e30.${Buffer.from(payload).toString('base64url')}.x`)
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' })
  })

  it('wrote no secret into any service’s log', async () => {
    expect(await wire.leaks()).toEqual({})
  })
})
