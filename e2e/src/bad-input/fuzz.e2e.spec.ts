import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type OwnSystem, startTwice } from '../running-system.js'
import { Wire } from './wire.js'

/** The registered errors of these endpoints: RFC 6749 §5.2, §4.1.2.1; RFC 7009 §2.2.1; RFC 8707 §2; RFC 9449 §5, §8. */
const registered = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'temporarily_unavailable',
  'unsupported_token_type',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
]
const runs = 500

interface Request {
  readonly path: string
  readonly headers: Record<string, string | string[]>
  readonly body: Buffer
}

/** What a random request is mixed from: values that are right somewhere, so that it gets far. */
interface Right {
  readonly credentials: readonly string[]
  readonly values: readonly string[]
}

const latin = fc
  .array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 40 })
  .map(codes => Buffer.from(codes.filter(code => code !== 0x7f)).toString('latin1'))

function bodies({ values }: Right): fc.Arbitrary<Buffer> {
  const name = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.constantFrom(
        'grant_type',
        'token',
        'client_id',
        'client_secret',
        'client_assertion',
        'client_assertion_type',
        'code',
        'code_verifier',
        'redirect_uri',
        'refresh_token',
        'scope',
        'resource',
        'audience',
        'subject_token',
        'subject_token_type',
        'actor_token',
        'requested_token_type',
        'token_type_hint',
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  )
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...values) },
    { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
    { weight: 1, arbitrary: fc.constantFrom(5000, 8193, 33_000).map(length => 'x'.repeat(length)) },
  )
  const pair = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(name, value).map(both => both.map(encode).join('=')) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('%', '%zz=1', 'a=%ff', '=', '&&', 'token', 'grant_type=%00', 'a==b'),
    },
    { weight: 1, arbitrary: latin },
  )
  const form = fc
    .tuple(
      fc.constantFrom('', ...rightForms),
      fc.oneof({ weight: 4, arbitrary: fc.array(pair, { maxLength: 2 }) }, fc.array(pair, { maxLength: 8 })),
      fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.constantFrom(31_000, 65_000, 65_600)),
    )
    .map(([right, pairs, padding]) =>
      Buffer.from([right, ...pairs, ...(padding ? [`pad=${'p'.repeat(padding)}`] : [])].join('&'), 'latin1'),
    )
  const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array))
  const json = fc.json().map(text => Buffer.from(text))
  return fc.oneof(
    { weight: 20, arbitrary: form },
    { weight: 1, arbitrary: bytes },
    { weight: 1, arbitrary: json },
  )
}

/** What other endpoints read is ignored: RFC 6749 §3.2. */
const rightForms = [
  'token=x&grant_type=client_credentials',
  'token=x&grant_type=client_credentials&scope=x',
  'token=x&grant_type=client_credentials&resource=urn%3Ax',
  'token=x&grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Fx.example&code_verifier=x',
  'token=x&grant_type=refresh_token&refresh_token=x',
  'token=x&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=x',
]

/** Lone surrogates are what no encoder writes: they go as they are. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text
}

function requests(right: Right): fc.Arbitrary<Request> {
  const sometimes = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, arbitrary)
  const header = (...known: string[]) =>
    sometimes(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...known) },
        { weight: 1, arbitrary: latin },
        { weight: 1, arbitrary: fc.array(fc.constantFrom(...known), { minLength: 2, maxLength: 3 }) },
      ),
    )
  const jwt = (typ: string) =>
    `${Buffer.from(JSON.stringify({ typ, alg: 'ES256', jwk: {} })).toString('base64url')}.e30.AAAA`
  const headers = fc.record({
    'content-type': fc.oneof(
      { weight: 30, arbitrary: fc.constant('application/x-www-form-urlencoded') },
      {
        weight: 3,
        arbitrary: header(
          'application/x-www-form-urlencoded; charset=utf-16',
          'application/json',
          'text/plain',
          'multipart/form-data; boundary=x',
          'application/xml',
        ),
      },
    ),
    authorization: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...right.credentials) },
      {
        weight: 1,
        arbitrary: header(...right.credentials, 'Basic', 'Basic ====', 'Bearer x', 'DPoP x', 'Basic Og=='),
      },
    ),
    dpop: header(jwt('dpop+jwt'), jwt('JWT'), 'x', '..'),
    accept: header('text/html', 'application/json', '*/*'),
    origin: header('https://app.example', 'null'),
    'content-encoding': sometimes(fc.constantFrom('gzip', 'identity')),
    'idempotency-key': header('k', 'k'.repeat(22)),
    traceparent: header('00-00000000000000000000000000000000-0000000000000000-00', 'x'),
    'client-cert': header(':AAAA:', 'x'),
    'x-forwarded-proto': header('https', 'javascript'),
    cookie: header('a=b', '='),
  })
  return fc.record({
    path: fc.constantFrom('/token', '/introspect', '/revoke'),
    // from somewhere else each time: what comes too often is refused before it is read
    headers: fc.tuple(headers, fc.ipV4()).map(([fields, address]) => {
      const given = Object.entries({ ...fields, 'x-forwarded-for': address })
      return Object.fromEntries(given.filter(entry => entry[1] !== undefined)) as Request['headers']
    }),
    body: bodies(right),
  })
}

describe('random requests', () => {
  let running: OwnSystem
  let wire: Wire
  let right: Right
  beforeAll(async () => {
    running = await startTwice({ token: { TRUSTED_PROXIES: '127.0.0.1' } })
    wire = new Wire(running)
    const { confidential, publicClient } = wire
    const { operator } = running.demo
    right = {
      credentials: [confidential, operator].map(client => wire.basic(client).authorization ?? ''),
      values: [
        '',
        ...rightForms.flatMap(form => [...new URLSearchParams(form).values()]),
        'urn:ietf:params:oauth:token-type:access_token',
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        ...[confidential.id, operator.id, publicClient.id, confidential.redirectUri, running.audience],
        ...[operator.secret, 'urn:grantlog:platform', 'invoices:read'],
        (await wire.tokens(confidential)).access_token,
      ],
    }
  })
  afterAll(() => running?.stop())

  it('are answered, or refused with a registered error of OAuth; and nothing is appended for what is refused', async () => {
    const seen = new Map<string, number>()
    const seed = randomInt(2 ** 31)
    const { log } = await running.logged(() =>
      fc.assert(
        fc.asyncProperty(requests(right), async ({ path, headers, body }) => {
          const response = await wire.raw(wire.url(path), 'POST', headers, body)
          const text = await response.text()
          const error = response.ok ? `200 of ${path}` : expectOAuthError(response, text)
          seen.set(error, (seen.get(error) ?? 0) + 1)
        }),
        { numRuns: runs, seed, endOnFailure: true },
      ),
    )
    process.stdout.write(`fuzz seed ${seed}: ${JSON.stringify(Object.fromEntries(seen))}\n`)
    const granted = (seen.get('200 of /token') ?? 0) + (seen.get('200 of /revoke') ?? 0)
    expect(log.length).toBeLessThanOrEqual(granted)
    for (const error of ['invalid_request', 'invalid_client', '200 of /introspect'])
      expect([...seen.keys()]).toContain(error)
    expect(seen.size).toBeGreaterThan(5)
    expect(Object.values(await running.written()).join()).not.toContain('a request failed')
    expect(await wire.leaks()).toEqual({})
  })
})

function expectOAuthError(response: Response, text: string): string {
  expect([400, 401, 413, 415, 429]).toContain(response.status)
  expect(response.headers.get('content-type')).toMatch(/^application\/json\b/)
  expect(response.headers.get('cache-control')).toBe('no-store')
  const answer = JSON.parse(text) as { error: string; error_description: string }
  expect(Object.keys(answer)).toEqual(['error', 'error_description'])
  expect(registered).toContain(answer.error)
  // a sentence within the characters of RFC 6749 §5.2, and no trace of where in the program it was
  expect(answer.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,400}$/)
  expect(answer.error_description).not.toMatch(/\.[jt]s:\d|^ +at |node_modules/)
  return answer.error
}
