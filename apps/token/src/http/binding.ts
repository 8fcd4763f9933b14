import type { BoundTo } from '@grantlog/contracts'
import { type ClientRequest, invalidRequest, thumbprintOf } from '@grantlog/oauth'
import type { FastifyRequest } from 'fastify'
import type { ClientRow } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'

/**
 * What the tokens of a request are to be bound to, or undefined where they are not.
 * @param path of the endpoint
 * @throws OAuthError invalid_dpop_proof, use_dpop_nonce; invalid_request when the client must bind its tokens and does not
 * @see RFC 9449 §5, RFC 8705 §3
 */
export async function readBinding(
  http: FastifyRequest,
  path: string,
  { certificate }: ClientRequest,
  client: ClientRow,
  { clientRequests }: TokenServices,
): Promise<BoundTo | undefined> {
  const proof = await clientRequests.readProof(http, path, client)
  if (proof !== undefined) return { kind: 'dpop', thumbprint: proof.thumbprint }
  // RFC 9449 §5.2: "MUST reject token requests from the client that do not contain the DPoP header"
  if (client.sender_constraint === 'dpop')
    throw invalidRequest('The client must prove possession of a key: the DPoP header is missing.')
  if (client.sender_constraint !== 'certificate') return undefined
  if (certificate === undefined)
    throw invalidRequest('The client must prove possession of a certificate: there is none in its TLS.')
  return { kind: 'certificate', thumbprint: thumbprintOf(certificate) }
}
