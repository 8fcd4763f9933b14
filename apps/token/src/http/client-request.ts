import { type ClientRequest, OAuthError } from '@grantlog/oauth'
import type { FastifyRequest } from 'fastify'
import type { ClientRow } from '../projections/clients.projection.js'
import type { TokenServices } from '../token-services.js'
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
  { clientRequests, limits }: TokenServices,
  options: { maxValueLength?: number } = {},
): ReceivedRequest {
  const network = networkOf(http.ip)
  limits.arrive(network)
  return { ...clientRequests.read(http, options), network }
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

async function authenticate(
  request: ReceivedRequest,
  { clientRequests, limits }: TokenServices,
): Promise<ClientRow> {
  let tried: ClientRow | undefined
  try {
    return await clientRequests.authenticate(request, client => {
      if (!canBeGuessed(client)) return
      limits.mayTry(client, request.network)
      tried = client
    })
  } catch (error) {
    const wrong = error instanceof OAuthError && error.code === 'invalid_client'
    if (wrong && tried !== undefined) limits.wasWrong(tried, request.network)
    throw error
  }
}

/** A client without a secret has none to guess, and nothing lets a suspended one in: their attempts count for nobody. */
const canBeGuessed = ({ auth_method, suspended }: ClientRow): boolean => auth_method !== 'none' && !suspended
