import { invalidClient, matchesSecret, type Parameters, readClientCredentials } from '@grantlog/oauth'
import { type ClientRow, findClient } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'

/**
 * The client of a request, when it is who it says. An unknown client and a wrong secret get the same answer.
 * @throws OAuthError invalid_client, invalid_request
 * @see RFC 6749 §2.3, §3.2.1
 */
export async function authenticateClient(
  request: { authorization: string | undefined; parameters: Parameters },
  { db }: TokenServices,
): Promise<ClientRow> {
  const credentials = readClientCredentials(request)
  const refuse = (detail: string) =>
    invalidClient('Client authentication failed.', detail, {
      basic: credentials.method === 'client_secret_basic',
    })

  const client = await findClient(db, credentials.clientId)
  // an unknown client costs a comparison too: time does not tell which ids exist
  const proven = credentials.method === 'none' || matchesSecret(credentials.secret, client?.verifiers ?? [])
  if (client === undefined) throw refuse('unknown client')
  // RFC 7591 §2: the client uses the method that it is registered with
  if (credentials.method !== client.auth_method)
    throw refuse(`registered with ${client.auth_method}, used ${credentials.method}`)
  if (!proven) throw refuse('wrong secret')
  if (client.suspended) throw refuse('suspended')
  return client
}
