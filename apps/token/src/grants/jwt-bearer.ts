import {
  type AuthorizationAssertion,
  foreignSubject,
  invalidGrant,
  invalidScope,
  invalidTarget,
  isSignedByOneOf,
  jwtBearerGrantType,
  missingFrom,
  type Parameters,
  parseScope,
  quoteScope,
  readAuthorizationAssertion,
  unauthorizedClient,
} from '@grantlog/oauth'
import { findApi } from '../projections/apis.projection.js'
import type { TrustedIssuer } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { issue } from './issuance.js'
import { tokenKeyOf } from './signing.js'
import { giveSingle } from './single-token.js'
import { readResource } from './target.js'

/**
 * RFC 7523 §2.1: what an issuer that the operator trusts for this client says of a subject, for a token at one API. There is no refresh
 * token (RFC 7521 §4.1): the client brings another assertion.
 */
export const jwtBearer: Grant = {
  type: jwtBearerGrantType,

  async handle(request: TokenRequest, services: TokenServices): Promise<TokenResponse> {
    const { client, parameters } = request
    const { config, clock, db, usedOnce } = services
    // whoever got hold of an assertion could present it
    if (client.auth_method === 'none')
      throw unauthorizedClient('An assertion needs a client that authenticates.')
    const now = clock.seconds()
    const context = { issuer: config.ISSUER, now }
    const assertion = readAuthorizationAssertion(parameters.require('assertion'), context)
    const trusted = await trustedIssuer(assertion, client.jwt_bearer, readResource(parameters))
    const api = await findApi(db, trusted.audience)
    if (api === undefined) throw invalidTarget('No API is registered for the resource.')
    if (api.suspended) throw invalidTarget('The API takes no tokens at the moment.')
    const scopes = readScopes(
      parameters,
      trusted.scopes.filter(scope => api.scopes.includes(scope)),
    )
    const { issuer, id, expiresAt } = assertion
    // RFC 7523 §3: the server "MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values"
    if (!(await usedOnce.once(`assertion ${JSON.stringify([issuer, id])}`, expiresAt)))
      throw invalidGrant('The assertion was used before.')

    const token = issue({
      issuer: config.ISSUER,
      key: await tokenKeyOf(api, client, services),
      now,
      lifetimeSeconds: api.access_token_seconds,
      grantType: jwtBearerGrantType,
      clientId: client.client_id,
      subject: foreignSubject(issuer, assertion.subject),
      audience: api.audience,
      scopes,
      boundTo: request.boundTo,
      assertedBy: issuer,
    })
    return giveSingle(token, request, services)
  },
}

/**
 * Whose assertion it is, for the API that the request names, or for the only one.
 * @throws OAuthError invalid_grant, the same whether the issuer is unknown or did not sign it; invalid_target
 */
async function trustedIssuer(
  assertion: AuthorizationAssertion,
  trusted: readonly TrustedIssuer[],
  resource: string | undefined,
): Promise<TrustedIssuer> {
  const ofIssuer = trusted.filter(({ issuer }) => issuer === assertion.issuer)
  const [found, ...more] = ofIssuer.filter(({ audience }) => resource === undefined || audience === resource)
  const keys = (found ?? ofIssuer[0])?.keys ?? []
  // RFC 7523 §3: "MUST reject JWTs with an invalid signature"
  if (!(await isSignedByOneOf(assertion, keys)))
    throw invalidGrant('The assertion is of no issuer that is trusted for the client.')
  if (found === undefined) throw invalidTarget('The issuer is not trusted for the resource.')
  if (more.length > 0) throw invalidTarget("The issuer is trusted for several APIs: name one as 'resource'.")
  return found
}

/** What is asked for, or else all that can be had. */
function readScopes(parameters: Parameters, allowed: readonly string[]): readonly string[] {
  const asked = parameters.get('scope')
  const scopes = asked === undefined ? allowed : parseScope(asked)
  const [more] = missingFrom(allowed, scopes)
  if (more !== undefined) throw invalidScope(`The assertion is good for no scope ${quoteScope(more)}.`)
  if (scopes.length === 0) throw invalidScope('The assertion is good for no scope of the API.')
  return scopes
}
