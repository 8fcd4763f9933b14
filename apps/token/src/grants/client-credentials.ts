import {
  invalidScope,
  invalidTarget,
  missingFrom,
  parseScope,
  quoteScope,
  unauthorizedClient,
} from '@grantlog/oauth'
import { type ApiRow, findApis } from '../projections/apis.projection.js'
import type { TokenServices } from '../token-services.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { issue } from './issuance.js'
import { tokenKeyOf } from './signing.js'
import { giveSingle } from './single-token.js'
import { readResource } from './target.js'

/** RFC 6749 §4.4: the client acts for itself. */
export const clientCredentials: Grant = {
  type: 'client_credentials',

  async handle(request: TokenRequest, services: TokenServices): Promise<TokenResponse> {
    const { client, parameters } = request
    // RFC 6749 §4.4: "MUST only be used by confidential clients"
    if (client.auth_method === 'none')
      throw unauthorizedClient('Client credentials need a client that has some.')
    const asked = parameters.get('scope')
    const wanted = asked === undefined ? client.scopes : parseScope(asked)
    const [foreign] = missingFrom(client.scopes, wanted)
    if (foreign !== undefined)
      throw invalidScope(`The client is not registered for the scope ${quoteScope(foreign)}.`)
    const api = await findApi(services, readResource(parameters), wanted)
    const scopes = wanted.filter(scope => api.scopes.includes(scope))
    if (asked !== undefined && scopes.length < wanted.length) {
      throw invalidScope(`The API does not know the scope '${missingFrom(api.scopes, wanted)[0]}'.`)
    }

    const now = services.clock.seconds()
    const token = issue({
      issuer: services.config.ISSUER,
      key: await tokenKeyOf(api, client, services),
      now,
      lifetimeSeconds: api.access_token_seconds,
      grantType: 'client_credentials',
      clientId: client.client_id,
      subject: client.client_id, // RFC 9068 §2.2: without a resource owner, `sub` names the client
      audience: api.audience,
      scopes,
      boundTo: request.boundTo,
    })
    return giveSingle(token, request, services)
  },
}

async function findApi(
  { db }: TokenServices,
  audience: string | undefined,
  scopes: readonly string[],
): Promise<ApiRow> {
  const [api, ...more] = await findApis(db, { audience, scopes })
  if (api === undefined) {
    throw audience === undefined
      ? invalidScope('No API knows the scope.')
      : invalidTarget('No API is registered for the resource.')
  }
  // RFC 8707 §2: without a resource the server may choose a default; a guess is none
  if (more.length > 0) throw invalidTarget("The scopes belong to several APIs: name one as 'resource'.")
  if (api.suspended) throw invalidTarget('The API takes no tokens at the moment.')
  return api
}
