import { type Client, type Tokens, tampered, type Wire, type Wrong } from '../bad-input/wire.js'
import { accessTokenType, archive, type Change, type ExchangeWorld, jwtType } from './exchange-world.js'

// Sections without a number before them are of RFC 8693.

/** What the requests are made of that are right but for one thing. */
export interface Material {
  readonly world: ExchangeWorld
  readonly web: Client
  readonly portal: Client
  /** For the portal, with the scope `view`. */
  readonly subject: Tokens
  /** The portal's own. */
  readonly actor: string
  /** The same, once it has been revoked. */
  readonly revoked: string
  readonly foreignActor: string
  /** Of the portal on somebody's behalf. */
  readonly delegated: string
}

type Row = Wrong<Material>
type Changed = Change | ((material: Material) => Change)

const sent =
  (change: Changed): Row['send'] =>
  (_, material) =>
    material.world.send(
      material.portal,
      material.subject.access_token,
      typeof change === 'function' ? change(material) : change,
    )
const invalidRequest = (name: string, change: Changed, says: string): Row => ({
  name,
  send: sent(change),
  error: 'invalid_request',
  says,
})
const invalidTarget = (name: string, change: Changed, says: string): Row => ({
  name,
  send: sent(change),
  error: 'invalid_target',
  says,
})
const invalidScope = (name: string, change: Changed, says: string): Row => ({
  name,
  send: sent(change),
  error: 'invalid_scope',
  says,
})
const twice = (parameter: string): Row => ({
  name: `§2.1 ${parameter} is at most one`,
  send: (wire: Wire, { portal }) =>
    wire.post(
      '/token',
      `grant_type=urn:ietf:params:oauth:grant-type:token-exchange&${parameter}=a&${parameter}=b`,
      wire.basic(portal),
    ),
  error: 'invalid_request',
  says: `'${parameter}' is included more than once`,
})
const withActor = (change: Changed) => (material: Material) => ({
  actor_token: material.actor,
  actor_token_type: accessTokenType,
  ...(typeof change === 'function' ? change(material) : change),
})

export const wrongRequests: readonly Row[] = [
  invalidRequest(
    '§2.1 subject_token is REQUIRED',
    { subject_token: undefined },
    "'subject_token' is missing",
  ),
  invalidRequest(
    '§2.1 subject_token_type is REQUIRED',
    { subject_token_type: undefined },
    "'subject_token_type' is missing",
  ),
  invalidRequest(
    '§2.1 actor_token_type is REQUIRED when actor_token is present',
    withActor({ actor_token_type: undefined }),
    "'actor_token_type' is missing",
  ),
  invalidRequest(
    '§2.1 actor_token_type MUST NOT be included otherwise',
    { actor_token_type: accessTokenType },
    "'actor_token_type' is given without",
  ),
  ...['subject_token', 'subject_token_type', 'actor_token', 'requested_token_type'].map(twice),
  ...['refresh_token', 'id_token', 'saml2', 'made-up'].map(name =>
    invalidRequest(
      `§3 a subject token of the type ${name} is not supported`,
      { subject_token_type: `urn:ietf:params:oauth:token-type:${name}` },
      "'subject_token_type' must be",
    ),
  ),
  invalidRequest(
    '§3 an actor token of another type is not supported',
    withActor({ actor_token_type: 'urn:ietf:params:oauth:token-type:id_token' }),
    "'actor_token_type' must be",
  ),
  invalidRequest(
    '§2.1 no refresh token can be requested',
    { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    "'requested_token_type' must be",
  ),

  // §2.1: the server "MUST perform the appropriate validation procedures for the indicated token type"; §2.2.2: invalid_request
  invalidRequest(
    '§2.2.2 a subject token that is none',
    { subject_token: 'made-up' },
    'subject token is invalid',
  ),
  invalidRequest(
    '§2.2.2 a subject token that was changed',
    ({ subject }) => ({ subject_token: tampered(subject.access_token) }),
    'subject token is invalid',
  ),
  invalidRequest(
    '§2.2.2 a refresh token as the subject token',
    ({ subject }) => ({ subject_token: subject.refresh_token }),
    'subject token is invalid',
  ),
  invalidRequest(
    '§2.2.2 a revoked subject token',
    ({ revoked }) => ({ subject_token: revoked, subject_token_type: jwtType }),
    'subject token is invalid',
  ),
  {
    name: '§2.2.2 a subject token that was sent to another API than the client’s',
    send: (_, { world, portal, foreignActor }) => world.send(portal, foreignActor),
    error: 'invalid_request',
    says: 'audience',
  },
  invalidRequest(
    '§2.2.2 an actor token that is none',
    withActor({ actor_token: 'made-up' }),
    'actor token is invalid',
  ),
  invalidRequest(
    '§2.2.2 a revoked actor token',
    withActor(({ revoked }) => ({ actor_token: revoked })),
    'actor token is invalid',
  ),
  invalidRequest(
    '§2.2.2 an actor token of another client',
    withActor(({ subject }) => ({ actor_token: subject.access_token })),
    'another client',
  ),
  invalidRequest(
    '§2.2.2 an actor token that has an actor itself',
    withActor(({ delegated }) => ({ actor_token: delegated })),
    'it does not say who acts',
  ),

  invalidTarget('§2.2.2 an unknown audience', { resource: undefined, audience: 'nobody' }, 'registered for'),
  invalidTarget('§2.2.2 an API that no rule names', { resource: 'urn:grantlog:platform' }, 'this target'),
  invalidTarget(
    '§2.2.2 an API that a rule names and nobody registered',
    { resource: 'https://unknown.example/' },
    'No API is registered',
  ),
  invalidTarget('§2.2.2 two targets, for a token of one', { audience: archive }, 'one target at a time'),
  invalidTarget('§2.1 resource MUST be an absolute URI', { resource: '/invoices' }, 'absolute URI'),
  invalidTarget(
    '§2.1 resource MUST NOT include a fragment',
    { resource: 'https://portal.example/#a' },
    'fragment',
  ),

  invalidScope('§2.1 a scope that no rule gives', { scope: 'invoices:read view' }, "'view'"),
  invalidScope(
    '§2.1 a scope that the subject token is too weak for',
    { scope: 'invoices:write' },
    'invoices:write',
  ),
  invalidScope(
    '§2.1 a scope that the API does not know',
    { resource: archive, scope: 'unknown' },
    "'unknown'",
  ),
  invalidScope('§2.1 a malformed scope', { scope: 'a  b' }, "'scope'"),
  {
    name: '§2.1 more at the same API than the subject token has',
    send: (_, { world, web, subject }) =>
      world.send(web, subject.access_token, { resource: undefined, scope: 'view edit' }),
    error: 'invalid_scope',
    says: "'edit'",
  },

  {
    name: '§5 a public client',
    send: (wire, { world, subject }) =>
      world.send(wire.publicClient, subject.access_token, { client_id: wire.publicClient.id }),
    error: 'unauthorized_client',
    says: 'grant type',
  },
  {
    name: 'RFC 6749 §5.2 a client that is not registered for the grant type',
    send: (wire, { world, subject }) => world.send(wire.confidential, subject.access_token),
    error: 'unauthorized_client',
    says: 'grant type',
  },
  {
    name: 'RFC 6749 §2.3 a wrong secret',
    send: (_, { world, portal, subject }) =>
      world.send({ ...portal, secret: 'not-the-secret-of-it' }, subject.access_token),
    status: 401,
    error: 'invalid_client',
    says: 'authentication failed',
  },
]
