import type { BoundTo } from '@grantlog/contracts'
import {
  authenticateClient,
  type ClientRequest,
  type DpopProof,
  invalidDpopProof,
  invalidRequest,
  thumbprintOf,
  verifyDpopProof,
} from '@grantlog/oauth'
import type { FastifyRequest } from 'fastify'
import { type ClientRow, findClient } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'
import { readForm } from './form.js'

/** A request of a client to one of the endpoints, read but not yet believed. @throws OAuthError invalid_request */
export function readClientRequest(
  http: FastifyRequest,
  services: TokenServices,
  options: { maxValueLength?: number } = {},
): ClientRequest {
  return {
    authorization: http.headers.authorization,
    parameters: readForm(http.body, options),
    certificate: services.certificateOf(http),
  }
}

/** The client of a request, when it is who it says. @throws OAuthError invalid_client, invalid_request */
export function authenticate(request: ClientRequest, services: TokenServices): Promise<ClientRow> {
  const { config, db, clock, usedOnce } = services
  return authenticateClient(request, {
    find: clientId => findClient(db, clientId),
    once: (id, expiresAt) => usedOnce.once(id, expiresAt),
    issuer: config.ISSUER,
    now: clock.seconds(),
    certificateAuthorities: config.CLIENT_CERTIFICATE_AUTHORITIES ?? [],
  })
}

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
  services: TokenServices,
): Promise<BoundTo | undefined> {
  const proof = await readProof(http, path, services)
  if (proof !== undefined) return { kind: 'dpop', thumbprint: proof.thumbprint }
  // RFC 9449 §5.2: "MUST reject token requests from the client that do not contain the DPoP header"
  if (client.sender_constraint === 'dpop')
    throw invalidRequest('The client must prove possession of a key: the DPoP header is missing.')
  if (client.sender_constraint !== 'certificate') return undefined
  if (certificate === undefined)
    throw invalidRequest('The client must prove possession of a certificate: there is none in its TLS.')
  return { kind: 'certificate', thumbprint: thumbprintOf(certificate) }
}

async function readProof(
  { headers, method }: FastifyRequest,
  path: string,
  { config, clock, dpopNonces, usedOnce }: TokenServices,
): Promise<DpopProof | undefined> {
  if (headers.dpop === undefined) return undefined
  const proof = await verifyDpopProof([headers.dpop].flat().join(', '), {
    method,
    urls: [config.ISSUER, config.MTLS_URL ?? config.ISSUER].map(base => `${base.replace(/\/$/, '')}/${path}`),
    now: clock.seconds(),
    ...(dpopNonces && { nonces: dpopNonces }),
  })
  // RFC 9449 §11.1: a proof is good for one use
  if (!(await usedOnce.once(proof.id, proof.expiresAt)))
    throw invalidDpopProof('The DPoP proof was used before.')
  return proof
}
