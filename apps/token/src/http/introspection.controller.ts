import {
  asksForSignedIntrospection,
  introspectionJwtType,
  invalidClient,
  signIntrospection,
} from '@grantlog/oauth'
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { family } from '../domain/family.js'
import { findDetails } from '../grants/family-details.js'
import { confirmation, parseRefreshToken } from '../grants/issuance.js'
import { findApi } from '../projections/apis.projection.js'
import type { ClientRow } from '../projections/clients.projection.js'
import { isRevoked } from '../projections/revocations.projection.js'
import { TokenServices } from '../token-services.js'
import { readActiveAccessToken } from './access-token.js'

/** A client with this scope may ask about every token; an API about those that are for it; any other only about its own. */
const introspectScope = 'tokens:introspect'

/** RFC 7662 §2.2 */
type Introspection =
  | { active: false }
  | {
      active: true
      token_type?: 'Bearer' | 'DPoP'
      client_id: string
      sub: string
      scope: string
      exp: number
      iss: string
      [claim: string]: unknown
    }

const inactive: Introspection = { active: false }

/** What introspection responses are signed with, whatever the API's tokens are. */
export const introspectionAlgorithm = 'ES256'

/**
 * The introspection endpoint (RFC 7662): the state of a token as the streams say it, without delay; signed where that is asked for
 * (RFC 9701).
 */
@Controller()
export class IntrospectionController {
  constructor(private readonly services: TokenServices) {}

  @Post('introspect')
  @HttpCode(200)
  async introspect(
    @Req() http: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Introspection | string> {
    const { clientRequests } = this.services
    const request = clientRequests.read(http)
    const token = request.parameters.require('token')
    return clientRequests.answer(request, client => this.#answer(token, client, http, reply))
  }

  async #answer(
    token: string,
    client: ClientRow,
    http: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Introspection | string> {
    // RFC 7662 §2.1: "the endpoint MUST also require some form of authorization"
    if (client.auth_method === 'none') throw invalidClient('Introspection needs a client that authenticates.')
    const told = await this.#told(token, client)
    if (!asksForSignedIntrospection(http.headers.accept)) return told
    reply.header('content-type', `application/${introspectionJwtType}`)
    return this.#signed(told, client)
  }

  async #told(token: string, client: ClientRow): Promise<Introspection> {
    const found = parseRefreshToken(token) ? await this.#refreshToken(token) : await this.#accessToken(token)
    // RFC 7662 §2.2, RFC 9701 §5: nothing is told about a token that the caller may not know of
    return found.active && (await this.#mayKnow(found, client)) ? found : inactive
  }

  async #mayKnow(found: Introspection & { active: true }, client: ClientRow): Promise<boolean> {
    if (found.client_id === client.client_id || client.scopes.includes(introspectScope)) return true
    if (found.token_type === undefined) return false // refresh tokens are for no API
    const api = await findApi(this.services.db, String(found.aud))
    return api?.introspection_client === client.client_id
  }

  async #signed(told: Introspection, { client_id }: ClientRow): Promise<string> {
    const { config, clock, keys } = this.services
    const options = { issuer: config.ISSUER, audience: client_id, now: clock.seconds() }
    return signIntrospection(told, options, await keys.current(introspectionAlgorithm))
  }

  async #accessToken(token: string): Promise<Introspection> {
    const claims = await readActiveAccessToken(token, this.services)
    if (claims === undefined) return inactive
    const { kid: _, ...told } = claims
    const token_type = claims.cnf?.jkt === undefined ? 'Bearer' : 'DPoP' // RFC 9449 §6.2
    return { active: true, token_type, iss: this.services.config.ISSUER, ...told }
  }

  async #refreshToken(token: string): Promise<Introspection> {
    const { commands, config, clock, db } = this.services
    const { familyId = '', hash } = parseRefreshToken(token) ?? {}
    const { facts, refresh, status } = (await commands.load(family, familyId)).state
    if (status !== 'active' || facts === null || refresh?.hash !== hash || refresh === null) return inactive
    const organizationId = facts.owner.kind === 'organization' ? facts.owner.id : null
    const elsewhere = await isRevoked(db, {
      ...facts,
      subject: facts.person,
      organizationId,
      issuedAt: facts.startedAt,
    })
    if (elsewhere || refresh.expiresAt <= clock.seconds()) return inactive
    const details = await findDetails(facts, this.services)
    if (details === undefined) return inactive
    return {
      active: true,
      iss: config.ISSUER,
      client_id: facts.clientId,
      sub: facts.person,
      scope: facts.scopes.join(' '),
      exp: refresh.expiresAt,
      aud: facts.audience,
      ...(details.length > 0 && { authorization_details: details }), // RFC 9396 §9.2
      ...(facts.boundTo && { cnf: confirmation(facts.boundTo) }),
    }
  }
}
