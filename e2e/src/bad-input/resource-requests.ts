import { forgeries } from './forgeries.js'
import type { Tokens, Wire } from './wire.js'

export interface Material {
  readonly read: Tokens
  readonly write: Tokens
  readonly operator: string
}

type Send = (wire: Wire, material: Material) => Promise<Response>

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const audience = (wire: Wire) => wire.running.audience
const get =
  (headers: (material: Material) => Record<string, string | string[]>, query = ''): Send =>
  (wire, material) =>
    wire.raw(`${audience(wire)}${query}`, 'GET', headers(material))

/** RFC 6750 §3.1: no token, or none where it belongs: "SHOULD NOT include an error code or other error information". */
export const withoutToken: readonly { name: string; send: Send }[] = [
  { name: 'nothing at all', send: get(() => ({})) },
  { name: 'the Basic scheme', send: get(() => ({ authorization: `Basic ${btoa('ada:secret')}` })) },
  {
    name: 'the token in the URL',
    send: (wire, { read }) => wire.raw(`${audience(wire)}?access_token=${read.access_token}`, 'GET', {}),
  },
  {
    name: 'the token in a form',
    send: (wire, { write }) =>
      wire.raw(
        audience(wire),
        'POST',
        { 'content-type': 'application/x-www-form-urlencoded' },
        `access_token=${write.access_token}`,
      ),
  },
  {
    name: 'the token in a cookie',
    send: get(({ read }) => ({ cookie: `access_token=${read.access_token}` })),
  },
]

interface Refused {
  readonly name: string
  readonly send: Send
  readonly status: 400 | 401 | 403
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  readonly says: string
}

const malformed = (name: string, send: Send, says = 'exactly one Bearer token'): Refused => ({
  name,
  send,
  status: 400,
  error: 'invalid_request',
  says,
})
const invalid = (name: string, token: (material: Material) => string, says = 'is not valid'): Refused => ({
  name,
  send: get(material => bearer(token(material))),
  status: 401,
  error: 'invalid_token',
  says,
})

/** RFC 6750 §3.1, RFC 9068 §4 */
export const refused: readonly Refused[] = [
  malformed(
    'Bearer without a token',
    get(() => ({ authorization: 'Bearer' })),
  ),
  malformed(
    'two tokens in one line',
    get(({ read }) => bearer(`${read.access_token} x`)),
  ),
  malformed(
    'a token with a comma behind it',
    get(({ read }) => bearer(`${read.access_token},`)),
  ),
  malformed(
    'two Authorization lines',
    get(({ read }) => ({ authorization: [`Bearer ${read.access_token}`, 'Bearer x'] })),
  ),
  // RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request"
  malformed(
    'the token in the header and in the URL',
    get(({ read }) => bearer(read.access_token), '?access_token=x'),
    'access_token',
  ),
  malformed(
    'the token in the header and, without a value, in the URL',
    get(({ read }) => bearer(read.access_token), '?access_token='),
    'access_token',
  ),
  invalid('no JWT', () => 'made-up'),
  invalid('a JWT of nothing', () => '..'),
  invalid('parts that are no JSON', () => 'eA.eA.eA'),
  invalid('longer than any token', () => 'x'.repeat(8193), 'too long'),
  invalid('a refresh token', ({ read }) => read.refresh_token),
  // RFC 9068 §4: the 'aud' claim must contain "a resource indicator value … for the resource server"
  invalid('a token for another API', ({ operator }) => operator),
  ...forgeries.map(({ name, forge }) => invalid(name, ({ read }) => forge(read.access_token))),
  {
    name: 'a token without the scope',
    send: (wire, { read }) => post(wire, JSON.stringify(draft), bearer(read.access_token)),
    status: 403,
    error: 'insufficient_scope',
    says: 'invoices:write',
  },
]

const draft = { customer: 'Babbage & Co', description: 'A gear', amount: 100, currency: 'GBP' }

export function post(wire: Wire, body: string | Buffer, headers: Record<string, string>): Promise<Response> {
  return wire.raw(audience(wire), 'POST', { 'content-type': 'application/json', ...headers }, body)
}

interface WrongInvoice {
  readonly name: string
  readonly body: string | Buffer
  readonly status?: number
  readonly says: string
  readonly pointers?: readonly string[]
  readonly contentType?: string
}

const changed = (name: string, change: Record<string, unknown>, says: string): WrongInvoice => ({
  name,
  body: JSON.stringify({ ...draft, ...change }),
  says,
  pointers: Object.keys(change).map(key => `/${key}`),
})

/** RFC 9457 */
export const wrongInvoices: readonly WrongInvoice[] = [
  changed('customer missing', { customer: undefined }, '/customer'),
  changed('customer empty', { customer: '' }, '/customer'),
  changed('customer blank', { customer: ' \t ' }, '/customer'),
  changed('customer too long', { customer: 'x'.repeat(121) }, '/customer'),
  changed('customer null', { customer: null }, '/customer'),
  changed('customer a list', { customer: ['x'] }, '/customer'),
  changed('customer with a NUL', { customer: 'a\u0000b' }, '/customer'),
  changed('customer with half a character', { customer: 'a\ud800b' }, '/customer'),
  changed('description too long', { description: 'x'.repeat(501) }, '/description'),
  changed('description with a NUL', { description: 'a\u0000b' }, '/description'),
  changed('amount zero', { amount: 0 }, '/amount'),
  changed('amount negative', { amount: -1 }, '/amount'),
  changed('amount with cents', { amount: 1.5 }, '/amount'),
  changed('amount beyond the limit', { amount: 1_000_000_001 }, '/amount'),
  changed('amount as text', { amount: '100' }, '/amount'),
  changed('currency unknown', { currency: 'XXX' }, '/currency'),
  changed('a member that there is not', { owner: 'somebody' }, '/owner'),
  changed('several at once', { amount: 0, currency: 'gbp' }, '/amount'),
  { name: 'a list', body: '[]', says: 'The body' },
  { name: 'null', body: 'null', says: 'The body' },
  { name: 'no body', body: '', says: 'body' },
  { name: 'broken JSON', body: '{"customer":', says: 'content type' },
  { name: 'a prototype', body: '{"__proto__":{"amount":1}}', says: 'body' },
  {
    name: 'more than 64 kB',
    body: JSON.stringify({ ...draft, description: 'x'.repeat(70_000) }),
    status: 413,
    says: '64 kB',
  },
  {
    name: 'a form',
    body: 'customer=x',
    contentType: 'application/x-www-form-urlencoded',
    status: 415,
    says: 'application/json',
  },
  { name: 'text', body: 'x', contentType: 'text/plain', status: 415, says: 'content type' },
]
