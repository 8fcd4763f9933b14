import { expect } from '@jest/globals'
import { type Refusal, type Sent, type Wrong } from './requests.js'
import { tampered } from './wire.js'

/** What the requests are made of that are right but for one thing. */
export interface Operator {
  readonly token: string
  /** May read, and nothing else. */
  readonly reader: string
  /** Good, but for the invoices. */
  readonly foreign: string
  readonly client: string
  readonly publicClient: string
  /** Of the API `invoices`. */
  readonly audience: string
}

export type Row = Wrong<Operator>

export const json = 'application/json'
export const aClient = { client_name: 'Wrong', redirect_uris: ['https://wrong.example/callback'], scope: 'a' }
export const anApi = {
  api_id: 'wrong',
  audience: 'https://wrong.example/',
  name: 'Wrong',
  scopes: [{ name: 'a', text: 'A', access: 'read' }],
}

export const problem = (status: number, says: string, headers?: Refusal['headers']): Refusal => ({
  status,
  form: 'problem',
  says,
  ...(headers && { headers }),
})

/** A request by the operator. */
export function asked(name: string, sent: Sent, refusal: Refusal): Row {
  return {
    name,
    send: ({ token }) => ({ ...sent, headers: { authorization: `Bearer ${token}`, ...sent.headers } }),
    refusal,
  }
}

export function posted(path: string, body: unknown, method = 'POST'): Sent {
  return { path, method, headers: { 'content-type': json }, body: JSON.stringify(body) }
}

export const allowed = (method: string, path: string, allow: string): Row =>
  asked(`${method} ${path}`, { path, method }, problem(405, `${method} is not allowed`, { allow }))

/** RFC 6750 §3, on every route. */
export const tokens: readonly Row[] = [
  ['GET', '/clients'],
  ['POST', '/clients'],
  ['GET', '/clients/operator'],
  ['PUT', '/clients/operator'],
  ['DELETE', '/clients/operator'],
  ['POST', '/clients/operator/suspend'],
  ['POST', '/clients/operator/reinstate'],
  ['GET', '/apis'],
  ['POST', '/apis'],
  ['GET', '/apis/platform'],
  ['PUT', '/apis/platform'],
  ['POST', '/apis/platform/suspend'],
  ['POST', '/apis/platform/reinstate'],
].flatMap(([method = '', path = '']): Row[] => {
  const reads = method === 'GET'
  const insufficient: Row = {
    name: `${method} ${path} with a token for reading only`,
    send: ({ reader }) => ({ path, method, headers: { authorization: `Bearer ${reader}` } }),
    refusal: {
      status: 403,
      form: 'bearer',
      error: 'insufficient_scope',
      says: 'clients:write',
      headers: { 'www-authenticate': matching(/scope="clients:write"/) },
    },
  }
  return [
    {
      name: `${method} ${path} without a token`,
      send: () => ({ path, method }),
      refusal: { status: 401, form: 'bearer', says: 'An access token is needed' },
    },
    {
      name: `${method} ${path} with another signature`,
      send: ({ token }) => ({ path, method, headers: { authorization: `Bearer ${tampered(token)}` } }),
      refusal: { status: 401, form: 'bearer', error: 'invalid_token', says: 'not valid' },
    },
    {
      name: `${method} ${path} with a token for another API`,
      send: ({ foreign }) => ({ path, method, headers: { authorization: `Bearer ${foreign}` } }),
      refusal: { status: 401, form: 'bearer', error: 'invalid_token', says: 'not valid' },
    },
    // RFC 9700 §4.3.2: not in the query, where logs would keep it
    {
      name: `${method} ${path} with its token in the URL`,
      send: ({ token }) => ({ path: `${path}?access_token=${token}`, method }),
      refusal: { status: 401, form: 'bearer', says: 'An access token is needed' },
    },
    ...(reads ? [] : [insufficient]),
  ]
})

/** Lists and their parameters. */
export const listing: readonly Row[] = ['/clients', '/apis'].flatMap(path => [
  asked(`${path}: limit 0`, { path: `${path}?limit=0` }, problem(400, "'limit' must be")),
  asked(`${path}: limit 201`, { path: `${path}?limit=201` }, problem(400, "'limit' must be")),
  asked(`${path}: a limit that is no number`, { path: `${path}?limit=x` }, problem(400, "'limit' must be")),
  asked(
    `${path}: limit twice`,
    { path: `${path}?limit=1&limit=2` },
    problem(400, "'limit' is included more"),
  ),
  asked(
    `${path}: after twice`,
    { path: `${path}?after=a&after=b` },
    problem(400, "'after' is included more"),
  ),
  asked(
    `${path}: after too long`,
    { path: `${path}?after=${'x'.repeat(65)}` },
    problem(400, "'after' is longer"),
  ),
  asked(
    `${path}: a bad percent`,
    { path: `${path}?after=%zz` },
    problem(400, "'after' is not percent-encoded"),
  ),
  asked(
    `${path}: bytes that are no UTF-8`,
    { path: `${path}?after=%ff` },
    problem(400, "'after' is not percent"),
  ),
  asked(`${path}: NUL`, { path: `${path}?after=%00` }, problem(400, "'after' contains a control character")),
  asked(`${path}: an unknown parameter`, { path: `${path}?offset=1` }, problem(400, "no parameter 'offset'")),
])

const unknownIds = ['nobody', 'x'.repeat(65), 'a%20b', 'a%2Fb', '%00', '%E2%80%AE']
const { api_id: _, ...anApiBody } = anApi

/** One client, one API. */
export const single: readonly Row[] = [
  ...unknownIds.flatMap(id => [
    asked(`GET /clients/${id}`, { path: `/clients/${id}` }, problem(404, 'no such client')),
    asked(`PUT /clients/${id}`, posted(`/clients/${id}`, aClient, 'PUT'), problem(404, 'no such client')),
    asked(
      `DELETE /clients/${id}`,
      { path: `/clients/${id}?reason=x`, method: 'DELETE' },
      problem(404, 'no such client'),
    ),
    asked(
      `suspend /clients/${id}`,
      posted(`/clients/${id}/suspend`, { reason: 'x' }),
      problem(404, 'no such client'),
    ),
    asked(
      `reinstate /clients/${id}`,
      { path: `/clients/${id}/reinstate`, method: 'POST' },
      problem(404, 'no such client'),
    ),
    asked(`GET /apis/${id}`, { path: `/apis/${id}` }, problem(404, 'no such API')),
    asked(`PUT /apis/${id}`, posted(`/apis/${id}`, anApiBody, 'PUT'), problem(404, 'no such API')),
    asked(`suspend /apis/${id}`, posted(`/apis/${id}/suspend`, { reason: 'x' }), problem(404, 'no such API')),
    asked(
      `reinstate /apis/${id}`,
      { path: `/apis/${id}/reinstate`, method: 'POST' },
      problem(404, 'no such API'),
    ),
  ]),
  ...['%zz', '%ff'].map(id =>
    asked(`GET /clients/${id}`, { path: `/clients/${id}` }, problem(400, 'percent-encoded')),
  ),
  ...['/clients/operator', '/apis/platform'].flatMap(path => [
    asked(`${path}: no reason`, posted(`${path}/suspend`, {}), problem(400, '/reason')),
    asked(`${path}: an empty reason`, posted(`${path}/suspend`, { reason: ' ' }), problem(400, '/reason')),
    asked(
      `${path}: a reason too long`,
      posted(`${path}/suspend`, { reason: 'x'.repeat(201) }),
      problem(400, '/reason'),
    ),
    asked(
      `${path}: a reason of two lines`,
      posted(`${path}/suspend`, { reason: 'a\nb' }),
      problem(400, '/reason'),
    ),
    asked(
      `${path}: suspended without a body`,
      { path: `${path}/suspend`, method: 'POST' },
      problem(415, json),
    ),
    asked(
      `${path}: reinstated with half a body`,
      { ...posted(`${path}/reinstate`, {}), body: '{' },
      problem(400, 'could not be read'),
    ),
    allowed('GET', `${path}/suspend`, 'POST'),
    allowed('PUT', `${path}/reinstate`, 'POST'),
  ]),
  allowed('POST', '/clients/operator', 'GET, PUT, DELETE'),
  allowed('DELETE', '/apis/platform', 'GET, PUT'),
  ...(
    [
      ['without a reason', '', "'reason' is missing"],
      ['with an empty reason', '?reason=', "'reason' is missing"],
      ['with a reason of nothing but a space', '?reason=%20', "'reason' must be one line"],
      ['with a reason too long', `?reason=${'x'.repeat(201)}`, "'reason' must be one line"],
      ['with a reason of two lines', '?reason=a%0Ab', "'reason' contains a control character"],
      ['with a reason that turns around what follows', '?reason=a%E2%80%AEb', "'reason' must be one line"],
      ['with two reasons', '?reason=a&reason=b', "'reason' is included more"],
      ['with bytes that are no UTF-8', '?reason=%ff', "'reason' is not percent-encoded"],
      ['with an unknown parameter', '?reason=a&force=1', "no parameter 'force': there is reason."],
    ] as const
  ).map(([name, query, says]) =>
    asked(
      `DELETE /clients/operator ${name}`,
      { path: `/clients/operator${query}`, method: 'DELETE' },
      problem(400, says),
    ),
  ),
  asked(
    'DELETE /clients/operator with the reason in a body',
    posted('/clients/operator', { reason: 'x' }, 'DELETE'),
    problem(400, "'reason' is missing"),
  ),
  asked(
    'a client that deletes itself',
    { path: '/clients/operator?reason=x', method: 'DELETE' },
    problem(409, 'does not delete itself'),
  ),
  asked(
    'an id in the body of PUT',
    posted('/clients/operator', { ...aClient, client_id: 'x' }, 'PUT'),
    problem(400, '/client_id'),
  ),
  asked(
    'another audience',
    posted('/apis/platform', anApiBody, 'PUT'),
    problem(409, 'audience of an API never changes'),
  ),
  ...Object.keys(anApiBody).map(member =>
    asked(
      `PUT /apis/platform without its ${member}`,
      posted('/apis/platform', { ...anApiBody, [member]: undefined }, 'PUT'),
      problem(400, `/${member}`),
    ),
  ),
  ...Object.keys(aClient).map(member =>
    asked(
      `PUT /clients/operator without its ${member}`,
      posted('/clients/operator', { ...aClient, [member]: undefined }, 'PUT'),
      problem(400, `/${member}`),
    ),
  ),
  {
    name: 'a client that gives up its secret',
    send: ({ token, client: id }) => ({
      ...posted(`/clients/${id}`, { ...aClient, token_endpoint_auth_method: 'none' }, 'PUT'),
      headers: { authorization: `Bearer ${token}`, 'content-type': json },
    }),
    refusal: problem(409, 'goes on to authenticate or not to'),
  },
  {
    name: 'a client that gets a secret',
    send: ({ token, publicClient: id }) => ({
      ...posted(`/clients/${id}`, aClient, 'PUT'),
      headers: { authorization: `Bearer ${token}`, 'content-type': json },
    }),
    refusal: problem(409, 'goes on to authenticate or not to'),
  },
  asked('a path that leads nowhere', { path: '/nothing' }, problem(404, 'nothing at this address')),
]

/** An asymmetric matcher stands where a text does. */
function matching(pattern: RegExp): string {
  return expect.stringMatching(pattern) as unknown as string
}
