import { expect } from '@jest/globals'
import { charles, unknownId, type World } from './consent-world.js'
import { encoded, type Refusal, type Sent, type Wrong } from './requests.js'
import { tampered } from './wire.js'

type Row = Wrong<World>

const json = 'application/json'
const anAccount = { email: 'wrong@example.com', name: 'Wrong', password: 'correct horse battery' }

const problem = (status: number, says: string, headers?: Refusal['headers']): Refusal => ({
  status,
  form: 'problem',
  says,
  ...(headers && { headers }),
})

function asked(name: string, refusal: Refusal, sent: Sent | ((world: World) => Sent)): Row {
  return {
    name,
    send: world => {
      const { headers, ...rest } = typeof sent === 'function' ? sent(world) : sent
      return {
        method: 'POST',
        ...rest,
        headers: { authorization: `Bearer ${world.operatorToken}`, 'content-type': json, ...headers },
      }
    },
    refusal,
  }
}

const account = (name: string, says: string, change: object): Row =>
  asked(`an account with ${name}`, problem(400, says), {
    path: '/accounts',
    body: JSON.stringify({ ...anAccount, ...change }),
  })
const organization = (name: string, says: string, body: unknown): Row =>
  asked(`an organization with ${name}`, problem(400, says), {
    path: '/organizations',
    body: JSON.stringify(body),
  })
const membersOf = (id: string) => `/organizations/${id}/members`
const member = (name: string, refusal: Refusal, change: object, organizationId?: string): Row =>
  asked(`a member: ${name}`, refusal, ({ requests: { running } }) => ({
    path: membersOf(organizationId ?? running.demo.company.id),
    body: JSON.stringify({ account_id: running.demo.person.id, role: 'member', ...change }),
  }))

const anyRoute: readonly Row[] = ['/accounts', '/organizations', membersOf(unknownId)].flatMap(path => [
  {
    name: `${path} without a token`,
    send: () => ({ path, method: 'POST' }),
    refusal: { status: 401, form: 'bearer', says: 'An access token is needed' },
  },
  // it is for people's browsers, and opens no interface of the operators
  {
    name: `${path} with Ada’s cookie`,
    send: ({ ada }) => ({ path, method: 'POST', headers: { cookie: `grantlog=${ada}` } }),
    refusal: { status: 401, form: 'bearer', says: 'An access token is needed' },
  },
  {
    name: `${path} with another signature`,
    send: ({ operatorToken }) => ({
      path,
      method: 'POST',
      headers: { authorization: `Bearer ${tampered(operatorToken)}` },
    }),
    refusal: { status: 401, form: 'bearer', error: 'invalid_token', says: 'not valid' },
  },
  {
    name: `${path} with too little scope`,
    send: ({ readerToken }) => ({
      path,
      method: 'POST',
      headers: { authorization: `Bearer ${readerToken}` },
    }),
    refusal: {
      status: 403,
      form: 'bearer',
      error: 'insufficient_scope',
      says: 'accounts:write',
      headers: { 'www-authenticate': matching(/scope="accounts:write"/) },
    },
  },
  asked(`GET ${path}`, problem(405, 'GET is not allowed', { allow: 'POST' }), { path, method: 'GET' }),
  asked(`${path}: a form`, problem(415, 'must be application/json'), {
    path,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: encoded(anAccount),
  }),
  asked(`${path}: text`, problem(415, 'content type'), {
    path,
    headers: { 'content-type': 'text/plain' },
    body: '{}',
  }),
  asked(`${path}: an empty body`, problem(400, 'could not be read'), { path, body: '' }),
  asked(`${path}: JSON that breaks off`, problem(400, 'could not be read'), { path, body: '{"name":"' }),
  asked(`${path}: an array`, problem(400, 'expected object'), { path, body: '[]' }),
  asked(`${path}: an unknown member`, problem(400, 'is not a member'), {
    path,
    body: JSON.stringify({ ...anAccount, account_id: unknownId, role: 'member', x: 1 }),
  }),
  asked(`${path}: over 64 kB`, problem(413, '64 kB'), {
    path,
    body: JSON.stringify({ name: 'x'.repeat(70_000) }),
  }),
])

/** POST /accounts, /organizations, /organizations/:id/members. */
export const accounts: readonly Row[] = [
  ...anyRoute,
  account('no e-mail', '/email', { email: undefined }),
  account('an e-mail that is none', '/email: must be an e-mail address', { email: 'ada' }),
  account('two e-mails', '/email', { email: ['a@example.com', 'b@example.com'] }),
  account('an e-mail of two lines', '/email', { email: 'a@example.com\nBcc: b@example.com' }),
  account('an e-mail too long', '/email', {
    email: `${'x'.repeat(60)}@${'x'.repeat(60)}.${'x.'.repeat(80)}com`,
  }),
  account('no name', '/name', { name: undefined }),
  account('an empty name', '/name', { name: '  ' }),
  account('a name too long', '/name', { name: 'x'.repeat(121) }),
  account('a name that turns the text around', '/name: must be one line', { name: 'Ada\u202eByron' }),
  account('half a character in the name', '/name', { name: 'Ada\udc00' }),
  account('no password', '/password', { password: undefined }),
  account('a short password', '/password: must be at least 15', { password: 'x'.repeat(14) }),
  account('a password too long', '/password', { password: 'x'.repeat(1025) }),
  account('a password that is a number', '/password', { password: 123_456_789_012_345 }),
  asked('an account with the e-mail of another', problem(409, 'this e-mail address already'), {
    path: '/accounts',
    body: JSON.stringify({ ...anAccount, email: charles.email }),
  }),
  asked('an account with the e-mail of another, in capitals', problem(409, 'this e-mail address already'), {
    path: '/accounts',
    body: JSON.stringify({ ...anAccount, email: charles.email.toUpperCase() }),
  }),
  organization('no name', '/name', {}),
  organization('an empty name', '/name', { name: '' }),
  organization('a name too long', '/name', { name: 'x'.repeat(121) }),
  organization('a name of two lines', '/name: must be one line', { name: 'a\r\nb' }),
  organization('an id of its own', '/organization_id: is not a member', {
    name: 'a',
    organization_id: unknownId,
  }),
  member('no account', problem(400, '/account_id'), { account_id: undefined }),
  member('an account that is no UUID', problem(400, '/account_id'), { account_id: 'ada' }),
  member('an account of nobody', problem(409, 'no account with this account_id'), { account_id: unknownId }),
  member('no role', problem(400, '/role'), { role: undefined }),
  member('a role that is none', problem(400, '/role'), { role: 'owner' }),
  member('somebody who is one already', problem(409, 'a member of the organization already'), {}),
  member('of an unknown organization', problem(404, 'no such organization'), {}, unknownId),
  member('of an organization that can not be', problem(404, 'no such organization'), {}, 'x'),
  member('of NUL', problem(404, 'no such organization'), {}, '%00'),
]

/** An asymmetric matcher stands where a text does. */
function matching(pattern: RegExp): string {
  return expect.stringMatching(pattern) as unknown as string
}
