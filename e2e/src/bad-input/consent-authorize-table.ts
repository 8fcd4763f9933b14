import { type Fields, get, queryOf, type World } from './consent-world.js'
import type { Refusal, Wrong } from './requests.js'

/** GET /authorize with a request that is right but for one thing. */
function ask(
  name: string,
  refusal: Refusal,
  change: Fields | ((world: World) => Fields),
  more = '',
): Wrong<World> {
  return {
    name,
    send: world => {
      const changed = typeof change === 'function' ? change(world) : change
      return get(`/authorize?${queryOf(world.requests.running, changed, more)}`, world.ada)
    },
    refusal,
  }
}

// RFC 6749 §4.1.2.1: "the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically
// redirect the user-agent to the invalid redirection URI"
const page = (says: string): Refusal => ({ status: 400, form: 'page', says })
const redirectUri = ({ requests }: World) =>
  `${requests.running.installation.url('sample-client')}/confidential/callback`
const notRegistered = page('(redirect_uri) is not one that the application registered')

export const unproven: readonly Wrong<World>[] = [
  ask('client_id missing', page('which application asks (client_id)'), { client_id: undefined }),
  ask('client_id empty', page('which application asks (client_id)'), { client_id: '' }),
  ask('client_id twice', page('“client_id” more than once'), {}, '&client_id=ledgerly'),
  ask('client_id unknown', page('No application is registered under its client_id'), { client_id: 'nobody' }),
  ask('client_id too long', page('registered under its client_id'), { client_id: 'x'.repeat(65) }),
  ask('client_id NUL', page('registered under its client_id'), { client_id: '\0' }),
  ask(
    'client_id badly encoded',
    page('registered under its client_id'),
    { client_id: undefined },
    '&client_id=%zz',
  ),
  ask(
    'client_id no UTF-8',
    page('registered under its client_id'),
    { client_id: undefined },
    '&client_id=%ff',
  ),
  ask(
    'client_id of a client that is suspended',
    page('The application has been suspended'),
    ({ registered }) => ({
      client_id: registered.suspendedClient,
    }),
  ),
  ask('client_id of a client that redirects nowhere', notRegistered, { client_id: 'operator' }),
  ask('redirect_uri missing where two are registered', page('where to return to (redirect_uri)'), world => ({
    client_id: world.registered.client,
    redirect_uri: undefined,
  })),
  ask('redirect_uri of another site', notRegistered, { redirect_uri: 'https://evil.example/callback' }),
  ask('redirect_uri with extra path', notRegistered, world => ({ redirect_uri: `${redirectUri(world)}/x` })),
  ask('redirect_uri with a step up', notRegistered, world => ({
    redirect_uri: `${redirectUri(world)}/../x`,
  })),
  ask('redirect_uri with a slash', notRegistered, world => ({ redirect_uri: `${redirectUri(world)}/` })),
  ask('redirect_uri with a query', notRegistered, world => ({ redirect_uri: `${redirectUri(world)}?a=1` })),
  ask('redirect_uri with a fragment', notRegistered, world => ({ redirect_uri: `${redirectUri(world)}#a` })),
  ask('redirect_uri in capitals', notRegistered, world => ({
    redirect_uri: redirectUri(world).toUpperCase(),
  })),
  ask('redirect_uri cut short', notRegistered, world => ({ redirect_uri: redirectUri(world).slice(0, -1) })),
  // RFC 8252 §7.3: another port is for loopback IP addresses, not for localhost
  ask('redirect_uri with another port', notRegistered, world => ({
    redirect_uri: redirectUri(world).replace(/:\d+/, ':1'),
  })),
  ask('redirect_uri with a user name', notRegistered, world => ({
    redirect_uri: redirectUri(world).replace('//', '//evil@'),
  })),
  ask('redirect_uri that is a script', notRegistered, { redirect_uri: 'javascript:alert(1)' }),
  ask('redirect_uri too long', notRegistered, { redirect_uri: `https://x.example/${'x'.repeat(5000)}` }),
  ask('redirect_uri no UTF-8', notRegistered, { redirect_uri: undefined }, '&redirect_uri=%ff'),
  ask('request that is no JWT', page('The request object is not a signed JWT'), { request: 'x.y.z' }),
  ask('request that is encrypted', page('Encrypted request objects are not supported'), {
    request: 'a.b.c.d.e',
  }),
  ask('request twice', page('“request” more than once'), { request: 'x.y.z' }, '&request=x.y.z'),
  // RFC 9101 §5: "MUST NOT" both
  ask('request and request_uri', page('both a request and a request_uri'), {
    request: 'x.y.z',
    request_uri: 'urn:x',
  }),
  ask('request_uri that is unknown', page('expired, or the application did not push it'), {
    request_uri: `urn:ietf:params:oauth:request_uri:${'x'.repeat(43)}`,
  }),
  ask(
    'request_uri twice',
    page('“request_uri” more than once'),
    { request_uri: 'urn:x' },
    '&request_uri=urn:x',
  ),
  ask('request_uri without a client_id', page('which application asks (client_id)'), {
    client_id: undefined,
    request_uri: `urn:ietf:params:oauth:request_uri:${'x'.repeat(43)}`,
  }),
  ask('everything too long', page('longer than 8 kB'), { state: 'x'.repeat(8192) }),
  ask('redirect_uri twice', page('“redirect_uri” more than once'), {}, '&redirect_uri=https://evil.example/'),
]

const back = (error: string, says: string, state: string | null = 'a state'): Refusal => ({
  status: 303,
  form: 'redirect',
  error,
  says,
  state,
})
const invalidRequest = (says: string) => back('invalid_request', says)
const stateless = (says: string) => back('invalid_request', says, null)

export const proven: readonly Wrong<World>[] = [
  ask('response_type missing', invalidRequest("'response_type' is missing"), { response_type: undefined }),
  ask('response_type empty', invalidRequest("'response_type' is missing"), { response_type: '' }),
  ask('response_type twice', invalidRequest("'response_type' is included more"), {}, '&response_type=code'),
  // RFC 9700 §2.1.2: no token in a URL
  ask('response_type token', back('unsupported_response_type', "'response_type'"), {
    response_type: 'token',
  }),
  ask('response_mode fragment', invalidRequest("'response_mode' must be query"), {
    response_mode: 'fragment',
  }),
  // RFC 7636 §4.4.1
  ask('code_challenge missing', invalidRequest("'code_challenge' is missing"), { code_challenge: undefined }),
  ask('code_challenge short', invalidRequest("'code_challenge' is not"), { code_challenge: 'x'.repeat(42) }),
  ask('code_challenge long', invalidRequest("'code_challenge' is not"), { code_challenge: 'x'.repeat(44) }),
  ask('code_challenge twice', invalidRequest("'code_challenge' is included"), {}, '&code_challenge=x'),
  ask('code_challenge_method plain', invalidRequest("'code_challenge_method' must be S256"), {
    code_challenge_method: 'plain',
  }),
  ask('code_challenge_method missing', invalidRequest("'code_challenge_method' must be S256"), {
    code_challenge_method: undefined,
  }),
  ask('scope missing', back('invalid_scope', "'scope' is missing"), { scope: undefined }),
  ask('scope empty', back('invalid_scope', "'scope' is missing"), { scope: '' }),
  ask('scope with two spaces', back('invalid_scope', "'scope' must be"), { scope: 'invoices:read  a' }),
  ask('scope outside ASCII', back('invalid_scope', "'scope' must be"), { scope: 'invoices:räd' }),
  ask('scope of the operator', back('invalid_scope', "not registered for the scope 'clients:write'"), {
    scope: 'invoices:read clients:write',
  }),
  ask('scope in capitals', back('invalid_scope', "the scope 'Invoices:Read'"), { scope: 'Invoices:Read' }),
  ask('scope twice', invalidRequest("'scope' is included more than once"), {}, '&scope=invoices:write'),
  ask('resource unknown', back('invalid_target', "for the 'resource'"), { resource: 'https://x.example/' }),
  ask('resource relative', back('invalid_target', "'resource' must be an absolute"), {
    resource: 'invoices',
  }),
  ask('resource with a fragment', back('invalid_target', "'resource' must not have a fragment"), {
    resource: 'https://x.example/#a',
  }),
  ask(
    'resource twice',
    back('invalid_target', "one 'resource' at a time"),
    {},
    '&resource=https://x.example/',
  ),
  ask('resource of the operators', back('invalid_scope', 'does not know the scope'), {
    resource: 'urn:grantlog:platform',
  }),
  ask(
    'resource missing where two APIs know the scope',
    back('invalid_target', "name one by 'resource'"),
    world => ({
      client_id: world.registered.client,
      scope: 'shared:read',
      resource: undefined,
    }),
  ),
  ask('resource that is suspended', back('invalid_target', 'takes no tokens at the moment'), world => ({
    client_id: world.registered.client,
    scope: 'shared:read',
    resource: world.registered.suspendedApi,
  })),
  // RFC 6749 §3.1.2: the query of a redirect URI "MUST be retained"
  ask(
    'scope missing, and a redirect URI with a query',
    back('invalid_scope', "'scope' is missing"),
    world => ({
      client_id: world.registered.client,
      redirect_uri: `${redirectUri(world)}?a=1`,
      scope: undefined,
    }),
  ),
  ask('state twice', stateless("'state' is included more than once"), {}, '&state=b'),
  ask('state too long', back('invalid_request', "'state' is longer", 'x'.repeat(4097)), {
    state: 'x'.repeat(4097),
  }),
  // what can't be read can't be given back
  ask(
    'state no UTF-8',
    stateless("'state' is not percent-encoded UTF-8"),
    { state: undefined },
    '&state=%ff',
  ),
  ask('state with a new line', back('invalid_request', "'state' contains a control", 'a\r\nLocation: x'), {
    state: 'a\r\nLocation: x',
  }),
  ask('a bad percent', invalidRequest("'nonce' is not percent-encoded"), {}, '&nonce=%zz'),
  ask('a name that is no UTF-8', invalidRequest("parameter's name is not percent-encoded"), {}, '&%ff=1'),
  ask('a parameter without a name', invalidRequest('no name'), {}, '&=1'),
  ask('too many parameters', invalidRequest('more than 64 parameters'), {}, '&a=1'.repeat(64)),
  ask('an unknown parameter twice', invalidRequest("'a' is included more"), {}, '&a=1&a=2'),
  ask(
    'request_uri of another kind',
    back('invalid_request_uri', "'request_uri' must be one that was pushed"),
    {
      request_uri: 'https://client.example/request',
    },
  ),
]
