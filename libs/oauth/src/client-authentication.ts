import { invalidClient, invalidRequest } from './errors.js'
import { decodeFormComponent } from './form-component.js'
import type { Parameters } from './parameters.js'

/** What a client presents to say who it is. `none` is a public client that only names itself. */
export type ClientCredentials =
  | { method: 'client_secret_basic' | 'client_secret_post'; clientId: string; secret: string }
  | { method: 'none'; clientId: string; secret?: undefined }

/**
 * The one authentication method that a request uses, not yet verified: that is the caller's, with the registered method and
 * `matchesSecret`.
 *
 * @param request.authorization value of the `Authorization` header
 * @throws OAuthError `invalid_request` when it uses several methods or names two clients, `invalid_client` when it uses none or
 *   one that can't be read
 * @see RFC 6749 §2.3, §2.3.1, §3.2.1
 */
export function readClientCredentials(request: {
  authorization: string | undefined
  parameters: Parameters
}): ClientCredentials {
  const { authorization, parameters } = request
  const secret = parameters.get('client_secret')
  const assertion = parameters.get('client_assertion')

  // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
  if ([authorization, secret, assertion].filter(used => used !== undefined).length > 1) {
    throw invalidRequest('The request uses more than one client authentication method.')
  }
  if (assertion !== undefined) throw invalidClient('Client assertions are not supported.')

  const clientId = parameters.get('client_id')
  if (authorization !== undefined) {
    const credentials = readBasic(authorization)
    if (clientId !== undefined && clientId !== credentials.clientId) {
      throw invalidRequest("Parameter 'client_id' differs from the client of the Authorization header.")
    }
    return credentials
  }
  if (secret !== undefined) {
    // RFC 6749 §2.3.1: client_id is REQUIRED beside client_secret.
    return { method: 'client_secret_post', clientId: parameters.require('client_id'), secret }
  }
  // RFC 6749 §3.2.1: a client that does not authenticate sends its client_id.
  if (clientId === undefined) throw invalidClient('The request does not name its client.')
  return { method: 'none', clientId }
}

// RFC 6749 §2.3.1, RFC 7617 §2
function readBasic(authorization: string): ClientCredentials {
  const refuse = (detail: string) =>
    invalidClient('The Authorization header does not hold Basic client credentials.', detail, { basic: true })

  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) throw refuse('not the Basic scheme with base64')
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) throw refuse('base64 is not canonical')
  const pair = bytes.toString('latin1')
  // RFC 7617 §2: the first colon ends the user-id; form-urlencoding has encoded any colon of the client_id.
  const colon = pair.indexOf(':')
  if (colon < 0) throw refuse('no colon between client id and secret')
  // RFC 6749 §2.3.1: both are form-urlencoded before they are joined.
  const clientId = decodeFormComponent(pair.slice(0, colon))
  const secret = decodeFormComponent(pair.slice(colon + 1))
  if (clientId === undefined || secret === undefined) throw refuse('not form-urlencoded')
  // RFC 6749 Appendix A.1, A.2: *VSCHAR; an empty client_id names nobody.
  if (!/^[\x20-\x7e]+$/.test(clientId) || !/^[\x20-\x7e]*$/.test(secret)) {
    throw refuse('client id or secret outside printable ASCII')
  }
  return { method: 'client_secret_basic', clientId, secret }
}
