import type { BoundTo } from '@grantlog/contracts'
import {
  authenticateClient,
  type ClientRequest,
  type DpopProof,
  invalidDpopProof,
  invalidRequest,
  OAuthError,
  thumbprintOf,
  verifyDpopProof,
} from '@grantlog/oauth'
import type { FastifyRequest } from 'fastify'
import { type ClientRow, findClient } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'
import { readForm } from './form.js'
import { networkOf } from './network-of.js'

/** What is read of a request before anything of it is believed. */
export interface ReceivedRequest extends ClientRequest {
  /** Where it comes from: {@link networkOf}. */
  readonly network: string
}

/**
 * A request of a client to one of the endpoints, read but not yet believed.
 * @throws OAuthError 429 when too many come from there; invalid_request
 */
export function readClientRequest(
  http: FastifyRequest,
  services: TokenServices,
  options: { maxValueLength?: number } = {},
): ReceivedRequest {
  const network = networkOf(http.ip)
  services.limits.arrive(network)
  return {
    network,
    authorization: http.headers.authorization,
    parameters: readForm(http.body, options),
    certificate: services.certificateOf(http),
  }
}

/**
 * Answers the client of a request, when it is who it says and within its limits.
 * @throws OAuthError invalid_client, invalid_request, 429; and what the answer throws
 */
export async function answerClient<T>(
  request: ReceivedRequest,
  services: TokenServices,
  answer: (client: ClientRow) => Promise<T>,
): Promise<T> {
  const client = await authenticate(request, services)
  return services.limits.answer(client, request.network, () => answer(client))
}

async function authenticate(request: ReceivedRequest, services: TokenServices): Promise<ClientRow> {
  const { config, db, clock, limits, usedOnce } = services
  let tried: ClientRow | undefined
  try {
    return await authenticateClient(request, {
      async find(clientId) {
        const client = await findClient(db, clientId)
        if (client === undefined || !canBeGuessed(client)) return client
        limits.mayTry(client, request.network)
        tried = client
        return client
      },
      once: (id, expiresAt) => usedOnce.once(id, expiresAt),
      issuer: config.ISSUER,
      now: clock.seconds(),
      certificateAuthorities: config.CLIENT_CERTIFICATE_AUTHORITIES ?? [],
    })
  } catch (error) {
    const wrong = error instanceof OAuthError && error.code === 'invalid_client'
    if (wrong && tried !== undefined) limits.wasWrong(tried, request.network)
    throw error
  }
}

/** A client without a secret has none to guess, and nothing lets a suspended one in: their attempts count for nobody. */
const canBeGuessed = ({ auth_method, suspended }: ClientRow): boolean => auth_method !== 'none' && !suspended

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
