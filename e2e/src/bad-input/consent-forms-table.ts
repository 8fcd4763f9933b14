import {
  decisionForm,
  filled,
  forms,
  get,
  interaction,
  post,
  queryOf,
  revocationForm,
  signInForm,
  unknownId,
  type World,
} from './consent-world.js'
import { csrfOf, encoded, type Refusal, type Sent, type Wrong } from './requests.js'

type Row = Wrong<World>

const page = (status: number, says: string, headers?: Refusal['headers']): Refusal => ({
  status,
  form: 'page',
  says,
  ...(headers && { headers }),
})
const notOurs = page(403, 'The form was not made for this browser')

/** Every form, and what is wrong with how it was sent. */
export const anyForm: readonly Row[] = forms.flatMap(({ name, of }): Row[] => {
  const row = (what: string, refusal: Refusal, send: (right: Sent, world: World) => Sent): Row => ({
    name: `${name}: ${what}`,
    send: world => send(filled(world.requests, of(world)), world),
    refusal,
  })
  const changed = (what: string, refusal: Refusal, change: (world: World) => string | undefined): Row => ({
    name: `${name}: ${what}`,
    send: world => filled(world.requests, of(world), { csrf: change(world) }),
    refusal,
  })
  const and = (what: string, says: string, more: string): Row => ({
    name: `${name}: ${what}`,
    send: world => filled(world.requests, of(world), {}, more),
    refusal: page(400, says),
  })
  const header = (what: string, headers: Record<string, string>, refusal = notOurs) =>
    row(what, refusal, right => ({ ...right, headers: { ...right.headers, ...headers } }))
  const form = 'must be application/x-www-form-urlencoded'
  return [
    changed('csrf missing', page(400, "'csrf' is missing"), () => undefined),
    changed('csrf empty', page(400, "'csrf' is missing"), () => ''),
    changed('csrf wrong', notOurs, () => 'x'.repeat(43)),
    changed('csrf of another length', notOurs, () => 'x'),
    changed('csrf for another purpose', notOurs, world =>
      csrfOf(world.requests.running, of(world).cookie, 'other'),
    ),
    changed('csrf of another browser', notOurs, world => {
      const { cookie, purpose } = of(world)
      return csrfOf(world.requests.running, cookie === world.ada ? world.member : world.ada, purpose)
    }),
    and('csrf twice', "'csrf' is included more than once", '&csrf=x'),
    header('no cookie', { cookie: '' }),
    header('a cookie that is none', { cookie: 'grantlog=x' }),
    header('from another site', { origin: 'https://evil.example' }),
    header('from another port of this machine', { origin: 'http://localhost:1' }),
    header('from another scheme', { origin: 'https://localhost' }),
    header('Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }),
    header('Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }),
    row('JSON', page(415, form), right => ({
      ...right,
      headers: { ...right.headers, 'content-type': 'application/json' },
      body: '{}',
    })),
    row('no content type', page(415, 'content type'), right => ({
      ...right,
      headers: { ...right.headers, 'content-type': '' },
    })),
    row('plain text', page(415, 'content type'), right => ({
      ...right,
      headers: { ...right.headers, 'content-type': 'text/plain' },
    })),
    row('multipart', page(415, 'content type'), right => ({
      ...right,
      headers: { ...right.headers, 'content-type': 'multipart/form-data; boundary=x' },
    })),
    row('bytes that are no ASCII', page(400, 'not form-urlencoded'), right => ({
      ...right,
      body: Uint8Array.from([0x61, 0x3d, 0xff]),
    })),
    and('a bad percent', "'a' is not percent-encoded", '&a=%zz'),
    and('bytes that are no UTF-8', "'a' is not percent-encoded", '&a=%ff'),
    and('NUL', "'a' contains a control character", '&a=%00'),
    and('too many fields', 'more than 64', '&a=1'.repeat(65)),
    and('a field too long', "'a' is longer than 8192", `&a=${'x'.repeat(8193)}`),
    row('over 64 kB', page(413, '64 kB'), right => ({ ...right, body: 'a'.repeat(70_000) })),
  ]
})

const signingIn = (
  name: string,
  refusal: Refusal,
  change: Record<string, string | undefined>,
  more = '',
): Row => ({
  name: `POST /sign-in: ${name}`,
  send: world => filled(world.requests, signInForm(world.nobody, 'nobody@example.com'), change, more),
  refusal,
})
const deciding = (
  name: string,
  refusal: Refusal,
  change: Record<string, string | undefined>,
  more = '',
): Row => ({
  name: `POST /authorize: ${name}`,
  send: world => filled(world.requests, decisionForm(world), change, more),
  refusal,
})
const revoking = (
  name: string,
  refusal: Refusal,
  by: (world: World) => [cookie: string, grantId: string],
): Row => ({
  name: `POST /grants/:id/revoke: ${name}`,
  send: world => filled(world.requests, revocationForm(...by(world))),
  refusal,
})
const method = (name: string, path: string, allow: string): Row => ({
  name: `${name} ${path}`,
  send: ({ ada }) => ({ ...get(path, ada), method: name }),
  refusal: page(405, `${name} is not allowed`, { allow }),
})
const notHers = page(404, 'There is no such grant of yours')
const mayNot = page(400, 'You may not decide for that one')

/** What is wrong with what a form says. */
export const eachForm: readonly Row[] = [
  signingIn('e-mail missing', page(400, 'Give your e-mail address'), { email: undefined }),
  signingIn('password missing', page(400, 'Give your password'), { password: '' }),
  signingIn('e-mail twice', page(400, "'email' is included more"), {}, '&email=x'),
  signingIn('password twice', page(400, "'password' is included more"), {}, '&password=x'),
  signingIn('e-mail too long', page(400, 'e-mail address or the password is wrong'), {
    email: 'x'.repeat(255),
  }),
  signingIn('password too long', page(400, 'the password is wrong'), { password: 'x'.repeat(1025) }),
  signingIn('NUL in the password', page(400, "'password' contains a control"), { password: 'x\0'.repeat(8) }),
  signingIn('nobody’s e-mail', page(403, 'the password is wrong'), {}),
  {
    name: 'POST /sign-in: Ada’s e-mail with another password is told in the same words',
    send: ({ requests, nobody }) => filled(requests, signInForm(nobody, requests.running.demo.person.email)),
    refusal: page(403, 'The e-mail address or the password is wrong.'),
  },
  signingIn('a request that is none', page(400, "'request' is not the query"), { request: 'a b' }),
  signingIn('a request that breaks the line', page(400, "'request' contains a control"), {
    request: 'a\r\nb: c',
  }),
  signingIn('a request twice', page(400, "'request' is included more"), { request: 'a' }, '&request=b'),
  signingIn('a request of nobody', page(400, 'registered under its client_id'), {
    request: 'client_id=nobody',
  }),
  deciding('decision missing', page(400, "'decision' is missing"), { decision: undefined }),
  deciding('decision unknown', page(400, "'decision' must be approve or deny"), { decision: 'maybe' }),
  deciding('decision twice', page(400, "'decision' is included more"), {}, '&decision=deny'),
  deciding('interaction missing', page(400, "'interaction' is missing"), { interaction: undefined }),
  deciding('interaction of another page', notOurs, { interaction: unknownId }),
  deciding('request missing', notOurs, { request: undefined }),
  deciding('another request', notOurs, { request: 'client_id=nobody' }),
  deciding('a request that is none', page(400, "'request' is not the query"), { request: 'a b' }),
  deciding('owner missing', page(400, 'Choose for whom you allow it'), { owner: undefined }),
  deciding('owner twice', page(400, "'owner' is included more"), {}, '&owner=x'),
  deciding('owner unreadable', mayNot, { owner: 'x' }),
  deciding('another person as owner', mayNot, { owner: `person:${unknownId}` }),
  deciding('an unknown company as owner', mayNot, { owner: `organization:${unknownId}` }),
  {
    name: 'POST /authorize: a plain member decides for the company',
    send: world => {
      const owner = `organization:${world.requests.running.demo.company.id}`
      return filled(world.requests, decisionForm(world, queryOf(world.requests.running), world.member), {
        owner,
      })
    },
    refusal: mayNot,
  },
  {
    name: 'POST /authorize: somebody else decides for Ada',
    send: world => filled(world.requests, decisionForm(world, queryOf(world.requests.running), world.member)),
    refusal: mayNot,
  },
  {
    name: 'POST /authorize: a request that is out of order goes back to the client',
    send: world =>
      filled(world.requests, decisionForm(world, queryOf(world.requests.running, { scope: 'x' }))),
    refusal: { status: 303, form: 'redirect', error: 'invalid_scope', says: "scope 'x'", state: 'a state' },
  },
  revoking('a grant that is none', notHers, ({ ada }) => [ada, unknownId]),
  revoking('an id that is none', notHers, ({ ada }) => [ada, 'x']),
  revoking('NUL', notHers, ({ ada }) => [ada, '\0']),
  revoking('a new line', notHers, ({ ada }) => [ada, 'a\r\nb: c']),
  revoking('somebody else’s grant', notHers, ({ member, adasGrant }) => [member, adasGrant]),
  revoking('the company’s grant, by a plain member', notHers, ({ member, companysGrant }) => [
    member,
    companysGrant,
  ]),
  {
    name: 'POST /grants/:id/revoke: csrf of another grant',
    send: ({ requests, ada, adasGrant, companysGrant }) =>
      post(`/grants/${adasGrant}/revoke`, ada, {
        csrf: csrfOf(requests.running, ada, `revoke ${companysGrant}`),
      }),
    refusal: notOurs,
  },
  method('PUT', '/authorize', 'GET, POST'),
  method('DELETE', '/sign-in', 'GET, POST'),
  method('GET', '/sign-out', 'POST'),
  method('POST', '/grants', 'GET'),
  method('GET', `/grants/${unknownId}/revoke`, 'POST'),
  {
    name: 'GET /nothing',
    send: ({ ada }) => get('/nothing', ada),
    refusal: page(404, 'There is nothing at this address'),
  },
  {
    name: 'a form that no browser sends is refused in JSON',
    send: ({ ada }) => ({ ...post('/sign-out', ada, encoded({})), headers: { accept: '*/*', ...typed } }),
    refusal: { status: 400, form: 'oauth', error: 'invalid_request', says: "'csrf' is missing" },
  },
  {
    name: 'a request that no browser sends is refused as a problem',
    send: () => ({ path: `/authorize?client_id=nobody&state=${interaction}`, headers: { accept: '*/*' } }),
    refusal: { status: 400, form: 'problem', says: 'registered under its client_id' },
  },
]
const typed = { 'content-type': 'application/x-www-form-urlencoded' }
