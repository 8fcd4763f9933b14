import {
  invalidRequest,
  invalidScope,
  invalidTarget,
  isOpaqueToken,
  missingFrom,
  type Parameters,
  parseScope,
  quoteScope,
  unauthorizedClient,
} from '@grantlog/oauth'
import {
  actorOf,
  type Exchanger,
  lineageOf,
  longestLineage,
  mayExchange,
  reachableScopes,
} from '../domain/exchange.js'
import { type OwnAccessToken, readActiveAccessToken } from '../http/access-token.js'
import { type ApiRow, findApis } from '../projections/apis.projection.js'
import type { TokenServices } from '../token-services.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { issue } from './issuance.js'
import { tokenKeyOf } from './signing.js'
import { giveSingle } from './single-token.js'
import { readTarget } from './target.js'

/**
 * RFC 8693: an access token of ours for another one, for another API or with fewer scopes, as the client's rules allow. It names what
 * it was made of, so that whatever revokes that revokes it too (ADR 0013).
 */
export const tokenExchange: Grant = {
  type: 'urn:ietf:params:oauth:grant-type:token-exchange',

  async handle(request: TokenRequest, services: TokenServices): Promise<TokenResponse> {
    const { client, parameters } = request
    // RFC 8693 §5: without client authentication, whoever got hold of a token could have it exchanged
    if (client.auth_method === 'none')
      throw unauthorizedClient('Token exchange needs a client that authenticates.')
    const exchanger = {
      clientId: client.client_id,
      policy: client.token_exchange ?? { rules: [], impersonate: false },
    }
    const issuedType = readType(parameters, 'requested_token_type') ?? accessTokenType
    const now = services.clock.seconds()
    const subject = await readSubject(parameters, exchanger, services)
    const actor = await readActor(parameters, exchanger, services)
    // RFC 8693 §4.1 puts no end to the chain; the length of a token does
    const lineage = lineageOf(subject, actor)
    if (lineage.length > longestLineage) throw invalidRequest('The tokens have been exchanged too often.')
    if (actor?.sub === subject.sub)
      throw invalidRequest("The 'actor_token' names the subject itself, which needs no actor.")
    const api = await readApi(parameters, subject, services)
    if (issuedType === jwtType && api.token_format === 'opaque')
      throw invalidRequest("The API's tokens are no JWTs: leave out 'requested_token_type'.")
    const scopes = readScopes(parameters, reachable(exchanger, subject, api))

    const token = issue({
      issuer: services.config.ISSUER,
      key: await tokenKeyOf(api, client, services),
      now,
      lifetimeSeconds: Math.min(api.access_token_seconds, subject.exp - now, (actor ?? subject).exp - now),
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      clientId: client.client_id,
      subject: subject.sub,
      audience: api.audience,
      scopes,
      boundTo: request.boundTo, // the exchanger's key: it is who sends the new token
      ...familyOf(subject),
      exchange: {
        subjectTokenId: subject.jti,
        actorTokenId: actor?.jti ?? null,
        act: actorOf(exchanger, subject, actor),
        lineage,
      },
    })
    return { ...(await giveSingle(token, request, services)), issued_token_type: issuedType }
  },
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
/** RFC 8693 §3: access tokens of ours are both, but for opaque ones. */
const tokenTypes: readonly string[] = [accessTokenType, jwtType]

function readType(parameters: Parameters, name: string): string | undefined {
  const type = parameters.get(name)
  if (type !== undefined && !tokenTypes.includes(type))
    throw invalidRequest(
      `Parameter '${name}' must be ${accessTokenType} (or :jwt): only access tokens are exchanged.`,
    )
  return type
}

/** RFC 8693 §2.1: the type "indicates the type of the security token" */
function assertType(parameters: Parameters, name: 'subject_token' | 'actor_token'): void {
  if (readType(parameters, `${name}_type`) === jwtType && isOpaqueToken(parameters.get(name) ?? ''))
    throw invalidRequest(`The '${name}' is no JWT: its type is ${accessTokenType}.`)
}

async function readSubject(
  parameters: Parameters,
  exchanger: Exchanger,
  services: TokenServices,
): Promise<OwnAccessToken> {
  const text = parameters.require('subject_token')
  parameters.require('subject_token_type')
  assertType(parameters, 'subject_token')
  const subject = await readActiveAccessToken(text, services)
  // RFC 8693 §2.2.2: a token that is invalid or unacceptable is invalid_request, not invalid_grant
  if (subject === undefined) throw invalidRequest('The subject token is invalid, expired or revoked.')
  if (!mayExchange(exchanger, subject))
    throw invalidRequest("The client may not exchange tokens of the subject token's audience.")
  return subject
}

/** Who acts. Only a token that the client got itself tells: one that was sent to it could put its acts upon anybody. */
async function readActor(
  parameters: Parameters,
  { clientId }: Exchanger,
  services: TokenServices,
): Promise<OwnAccessToken | undefined> {
  const text = parameters.get('actor_token')
  if (text === undefined) {
    // RFC 8693 §2.1: "MUST NOT be included otherwise"
    if (parameters.get('actor_token_type') !== undefined)
      throw invalidRequest("Parameter 'actor_token_type' is given without 'actor_token'.")
    return undefined
  }
  parameters.require('actor_token_type') // RFC 8693 §2.1: "REQUIRED when the actor_token parameter is present"
  assertType(parameters, 'actor_token')
  const actor = await readActiveAccessToken(text, services)
  if (actor === undefined) throw invalidRequest('The actor token is invalid, expired or revoked.')
  if (actor.client_id !== clientId) throw invalidRequest('The actor token was issued to another client.')
  if (actor.act !== undefined)
    throw invalidRequest('The actor token is used on behalf of its subject: it does not say who acts.')
  return actor
}

/** The API that the request names; without one that of the subject token. */
async function readApi(
  parameters: Parameters,
  subject: OwnAccessToken,
  { db }: TokenServices,
): Promise<ApiRow> {
  const [api] = await findApis(db, { audience: readTarget(parameters) ?? subject.aud, scopes: [] })
  // RFC 8693 §2.2.2
  if (api === undefined) throw invalidTarget('No API is registered for the target.')
  if (api.suspended) throw invalidTarget('The API takes no tokens at the moment.')
  return api
}

function reachable(exchanger: Exchanger, subject: OwnAccessToken, api: ApiRow): readonly string[] {
  const scopes = reachableScopes(exchanger, subject, api.audience)
  if (scopes === undefined)
    throw invalidTarget('The client may not exchange the subject token for this target.')
  return scopes.filter(scope => api.scopes.includes(scope))
}

/** What is asked for, or else all that can be had. */
function readScopes(parameters: Parameters, allowed: readonly string[]): readonly string[] {
  const asked = parameters.get('scope')
  const scopes = asked === undefined ? allowed : parseScope(asked)
  const [more] = missingFrom(allowed, scopes)
  if (more !== undefined)
    throw invalidScope(`The subject token can not be exchanged for the scope ${quoteScope(more)}.`)
  if (scopes.length === 0)
    throw invalidScope('The subject token can be exchanged for no scope of the target.')
  return scopes
}

/** The new token belongs where the subject token does: what ends that ends it. */
function familyOf({ family, grant, auth_time, organization }: OwnAccessToken) {
  if (family === undefined || grant === undefined || auth_time === undefined) return {}
  return {
    family: {
      familyId: family,
      grantId: grant,
      grantExpiresAt: null, // the subject token ends before its grant and its family do
      familyExpiresAt: null,
      organizationId: organization,
      authTime: auth_time,
    },
  }
}
