import { createHash } from 'node:crypto'
import type { BoundTo } from '@grantlog/contracts'
import { invalidAuthorizationDetails, unauthorizedClient, unsupportedGrantType } from '@grantlog/oauth'
import { currentTrace, type ReceivedRequest } from '@grantlog/platform'
import { Controller, Header, HttpCode, Post, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Grant, TokenResponse } from '../grants/grant.js'
import { grants } from '../grants/index.js'
import type { ClientRow } from '../projections/clients.projection.js'
import { TokenServices } from '../token-services.js'
import { readBinding } from './binding.js'

const maxCodeLength = 8192
/** Characters of an Idempotency-Key: 128 random bits in base64url. */
const unguessableLength = 22

/** The token endpoint (RFC 6749 §3.2). It knows no grant by name. */
@Controller()
export class TokenController {
  constructor(private readonly services: TokenServices) {}

  @Post('token')
  @HttpCode(200)
  @Header('pragma', 'no-cache') // RFC 6749 §5.1: beside Cache-Control: no-store, which every answer has
  async token(
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenResponse> {
    const { clientRequests } = this.services
    const request = clientRequests.read(http, { maxValueLength: maxCodeLength })
    const type = request.parameters.require('grant_type')
    const grant = grants.find(candidate => candidate.type === type)
    if (grant === undefined) throw unsupportedGrantType('The grant type is not supported.')
    // ignored, the client would believe that its token is for less than it is
    if (request.parameters.get('authorization_details') !== undefined && grant.takesDetails !== true)
      throw invalidAuthorizationDetails('This grant type takes no authorization details.')
    return clientRequests.answer(request, client => this.#grant(grant, request, client, http, reply))
  }

  async #grant(
    grant: Grant,
    request: ReceivedRequest,
    client: ClientRow,
    http: FastifyRequest,
    reply: FastifyReply,
  ): Promise<TokenResponse> {
    const { clock, dpopNonces } = this.services
    if (!client.grant_types.includes(grant.type))
      throw unauthorizedClient('The client is not registered for the grant type.')
    const boundTo = await readBinding(http, 'token', request, client, this.services)
    // RFC 9449 §8.2: the next proof may have a newer nonce
    if (boundTo?.kind === 'dpop' && dpopNonces)
      reply.header('dpop-nonce', dpopNonces.current(clock.seconds()))
    const sender = senderOf(client, boundTo, http.headers['idempotency-key'])
    const { parameters } = request
    return grant.handle(
      { client, parameters, traceparent: currentTrace()?.traceparent, boundTo, sender },
      this.services,
    )
  }
}

/**
 * What a sender can prove again: a confidential client, that it is the client; a public one, that it holds the key its tokens are bound
 * to, or that it knows the key of its first try (draft-ietf-httpapi-idempotency-key-header), when nobody could guess it.
 */
function senderOf(
  { client_id, auth_method }: ClientRow,
  boundTo: BoundTo | undefined,
  idempotencyKey: string | string[] | undefined,
): string | null {
  if (auth_method !== 'none') return `client ${client_id}`
  if (boundTo !== undefined) return `${boundTo.kind} ${boundTo.thumbprint}`
  if (typeof idempotencyKey !== 'string' || idempotencyKey.length < unguessableLength) return null
  return `key ${createHash('sha256').update(idempotencyKey).digest('base64url')}`
}
