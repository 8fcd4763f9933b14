import { aClient, allowed, anApi, asked, json, posted, problem, type Row } from './clients-table.js'
import { encoded } from './requests.js'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const rule = { from: 'https://a.example/', to: 'https://b.example/', scope: 'read' }
/** One that may exchange tokens, by a policy that is changed in one thing. */
const exchanging = (policy: unknown) => ({
  grant_types: [tokenExchange],
  redirect_uris: [],
  token_exchange: policy,
})

/** The registration of a client, changed in one thing. */
const client = (name: string, change: object, says: string): Row =>
  asked(`a client with ${name}`, posted('/clients', { ...aClient, ...change }), problem(400, says))
const api = (name: string, change: object, says: string): Row =>
  asked(`an API with ${name}`, posted('/apis', { ...anApi, ...change }), problem(400, says))

const forBoth: readonly Row[] = ['/clients', '/apis'].flatMap(path => [
  asked(`${path}: no body`, { path, method: 'POST' }, problem(415, 'must be application/json')),
  asked(
    `${path}: an empty body`,
    { path, headers: { 'content-type': json }, body: '' },
    problem(400, 'could not be read'),
  ),
  asked(
    `${path}: JSON that breaks off`,
    { path, headers: { 'content-type': json }, body: '{"name":' },
    problem(400, 'could not be read'),
  ),
  asked(`${path}: an array`, posted(path, []), problem(400, 'expected object')),
  asked(`${path}: null`, posted(path, null), problem(400, 'expected object')),
  asked(
    `${path}: a form`,
    {
      path,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: encoded({ client_name: 'x' }),
    },
    problem(415, 'must be application/json'),
  ),
  asked(
    `${path}: text`,
    { path, headers: { 'content-type': 'text/plain' }, body: '{}' },
    problem(415, 'content type'),
  ),
  asked(`${path}: over 64 kB`, posted(path, { name: 'x'.repeat(70_000) }), problem(413, '64 kB')),
  asked(
    `${path}: __proto__`,
    { path, headers: { 'content-type': json }, body: '{"__proto__":{"scope":"a"}}' },
    problem(400, 'could not be read'),
  ),
  allowed('PATCH', path, 'GET, POST'),
  allowed('DELETE', path, 'GET, POST'),
])

const override = 'Ledgerly\u202e' // what follows would be read from right to left

/** What is registered. */
export const collection: readonly Row[] = [
  ...forBoth,
  client('no name', { client_name: undefined }, '/client_name'),
  client('an empty name', { client_name: ' ' }, '/client_name'),
  client('a name too long', { client_name: 'x'.repeat(81) }, '/client_name'),
  client('a name that is a number', { client_name: 1 }, '/client_name'),
  client('a name of two lines', { client_name: 'Ledgerly\nby the bank' }, '/client_name: must be one line'),
  client('a name that turns the text around', { client_name: override }, '/client_name: must be one line'),
  client('NUL in its name', { client_name: 'a\0b' }, '/client_name'),
  client('half a character in its name', { client_name: 'a\ud800b' }, '/client_name'),
  client('an unknown member', { redirect_uri: 'https://x.example/' }, '/redirect_uri: is not a member'),
  client('a homepage that is a script', { client_uri: 'javascript:alert(1)' }, '/client_uri'),
  client('a homepage too long', { client_uri: `https://x.example/${'x'.repeat(512)}` }, '/client_uri'),
  client('no redirect URI', { redirect_uris: [] }, '/redirect_uris'),
  client('a redirect URI that is a number', { redirect_uris: [1] }, '/redirect_uris/0'),
  client(
    'a redirect URI twice',
    { redirect_uris: ['https://x.example/', 'https://x.example/'] },
    '/redirect_uris',
  ),
  client(
    '21 redirect URIs',
    { redirect_uris: Array.from({ length: 21 }, (_, n) => `https://x.example/${n}`) },
    '/redirect_uris',
  ),
  client('a redirect URI by http', { redirect_uris: ['http://x.example/'] }, '/redirect_uris/0'),
  client('a redirect URI that is a script', { redirect_uris: ['javascript:alert(1)//'] }, '/redirect_uris/0'),
  client('a redirect URI with a fragment', { redirect_uris: ['https://x.example/#a'] }, '/redirect_uris/0'),
  client('a redirect URI with a wildcard', { redirect_uris: ['https://*.x.example/'] }, '/redirect_uris/0'),
  client('a redirect URI with a password', { redirect_uris: ['https://a:b@x.example/'] }, '/redirect_uris/0'),
  client(
    'a second redirect URI that is relative',
    { redirect_uris: ['https://x.example/', '/cb'] },
    '/redirect_uris/1',
  ),
  client('an app’s scheme, and a secret', { redirect_uris: ['com.example.app:/cb'] }, '/redirect_uris/0'),
  client(
    'a redirect URI too long',
    { redirect_uris: [`https://x.example/${'x'.repeat(1024)}`] },
    '/redirect_uris/0',
  ),
  client('no scope', { scope: undefined }, '/scope'),
  client('a scope list', { scope: ['a'] }, '/scope'),
  client('two spaces in its scope', { scope: 'a  b' }, '/scope'),
  client('a quote in its scope', { scope: 'a "b"' }, '/scope'),
  client('a scope of 129 characters', { scope: `a ${'x'.repeat(129)}` }, '/scope'),
  client('a scope of 2001 characters', { scope: 'x'.repeat(2001) }, '/scope'),
  client('no grant type', { grant_types: [] }, '/grant_types'),
  client('an unknown grant type', { grant_types: ['password'] }, '/grant_types/0'),
  client('a grant type twice', { grant_types: ['authorization_code', 'authorization_code'] }, '/grant_types'),
  client('refresh tokens alone', { grant_types: ['refresh_token'], redirect_uris: [] }, '/grant_types'),
  client(
    'client credentials and no secret',
    { grant_types: ['client_credentials'], redirect_uris: [], token_endpoint_auth_method: 'none' },
    '/grant_types',
  ),
  client(
    'token exchange and no secret',
    { ...exchanging({ rules: [rule] }), token_endpoint_auth_method: 'none' },
    '/grant_types: token-exchange is only for clients that authenticate',
  ),
  client(
    'rules of exchange and no such grant type',
    { token_exchange: { rules: [rule] } },
    '/token_exchange: ',
  ),
  client('rules that are no list', exchanging({ rules: rule }), '/token_exchange/rules'),
  client('51 rules', exchanging({ rules: Array.from({ length: 51 }, () => rule) }), '/token_exchange/rules'),
  client('a rule twice', exchanging({ rules: [rule, rule] }), '/token_exchange/rules: names something twice'),
  client(
    'a relative audience',
    exchanging({ rules: [{ ...rule, from: '/a' }] }),
    '/token_exchange/rules/0/from',
  ),
  client(
    'an audience with a fragment',
    exchanging({ rules: [rule, { ...rule, to: 'https://b.example/#a' }] }),
    '/token_exchange/rules/1/to',
  ),
  client(
    'a rule that gives nothing',
    exchanging({ rules: [{ ...rule, scope: '' }] }),
    '/token_exchange/rules/0/scope',
  ),
  client(
    'two spaces in a rule',
    exchanging({ rules: [{ ...rule, subject_scope: 'a  b' }] }),
    '/token_exchange/rules/0/subject_scope',
  ),
  client(
    'an unknown member in a rule',
    exchanging({ rules: [{ ...rule, audience: 'https://b.example/' }] }),
    '/token_exchange/rules/0/audience: is not a member',
  ),
  client('impersonation as a word', exchanging({ impersonate: 'yes' }), '/token_exchange/impersonate'),
  client('redirect URIs that nothing uses', { grant_types: ['client_credentials'] }, '/redirect_uris'),
  client(
    'an unknown way to authenticate',
    { token_endpoint_auth_method: 'tls' },
    '/token_endpoint_auth_method',
  ),
  client('a profile that is none', { profile: 'fapi1' }, '/profile'),
  client('a secret and the profile fapi2', { profile: 'fapi2' }, 'the profile fapi2 needs one of'),
  client('an id with a space', { client_id: 'a b' }, '/client_id'),
  client('an empty id', { client_id: '' }, '/client_id'),
  client('an id too long', { client_id: 'x'.repeat(65) }, '/client_id'),
  asked(
    'a client with the id of another',
    posted('/clients', { ...aClient, client_id: 'operator' }),
    problem(409, 'client_id'),
  ),
  api('no id', { api_id: undefined }, '/api_id'),
  api('an id in capitals', { api_id: 'Wrong' }, '/api_id'),
  api('an id too long', { api_id: 'x'.repeat(65) }, '/api_id'),
  api('no audience', { audience: undefined }, '/audience'),
  api('a relative audience', { audience: '/invoices' }, '/audience'),
  api('an audience with a fragment', { audience: 'https://x.example/#a' }, '/audience'),
  api('an audience with a space', { audience: 'https://x.example/ a' }, '/audience'),
  api('an audience outside ASCII', { audience: 'https://x.example/ü' }, '/audience'),
  api('an audience too long', { audience: `https://x.example/${'x'.repeat(512)}` }, '/audience'),
  api('an empty name', { name: '' }, '/name'),
  api('a name of two lines', { name: 'a\u2028b' }, '/name: must be one line'),
  api('no scopes', { scopes: [] }, '/scopes'),
  api(
    '101 scopes',
    { scopes: Array.from({ length: 101 }, (_, n) => ({ ...anApi.scopes[0], name: `${n}` })) },
    '/scopes',
  ),
  api('a scope twice', { scopes: [anApi.scopes[0], anApi.scopes[0]] }, '/scopes'),
  api('a scope with a space', { scopes: [{ ...anApi.scopes[0], name: 'a b' }] }, '/scopes/0/name'),
  api('a scope without words', { scopes: [{ name: 'a', access: 'read' }] }, '/scopes/0/text'),
  api(
    'words that turn the text around',
    { scopes: [{ ...anApi.scopes[0], text: override }] },
    '/scopes/0/text',
  ),
  api('an unknown access', { scopes: [{ ...anApi.scopes[0], access: 'admin' }] }, '/scopes/0/access'),
  api('a scope with an unknown member', { scopes: [{ ...anApi.scopes[0], x: 1 }] }, '/scopes/0/x'),
  api('tokens of no length', { access_token_seconds: 0 }, '/access_token_seconds'),
  api('tokens of half seconds', { access_token_seconds: 60.5 }, '/access_token_seconds'),
  api('tokens of more than an hour', { access_token_seconds: 3601 }, '/access_token_seconds'),
  api('tokens signed with a shared secret', { access_token_alg: 'HS256' }, '/access_token_alg'),
  api('tokens of a format that is none', { access_token_format: 'paseto' }, '/access_token_format'),
  api('tokens that nobody signed', { access_token_alg: 'none' }, '/access_token_alg'),
  api('a profile that is none', { profile: 'FAPI2' }, '/profile'),
  api(
    'the profile fapi2 and RS256',
    { profile: 'fapi2', access_token_alg: 'RS256' },
    '/access_token_alg: the profile fapi2 does not allow RS256',
  ),
  asked(
    'an API with the id of another',
    posted('/apis', { ...anApi, api_id: 'platform' }),
    problem(409, 'api_id'),
  ),
  {
    name: 'an API with the audience of another',
    send: ({ token, audience }) => ({
      ...posted('/apis', { ...anApi, audience }),
      headers: { authorization: `Bearer ${token}`, 'content-type': json },
    }),
    refusal: problem(409, 'audience'),
  },
]
