import { invalidClient } from '@grantlog/oauth'
import { Controller, HttpCode, Post, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { family } from '../domain/family.js'
import { confirmation, parseRefreshToken } from '../grants/issuance.js'
import type { ClientRow } from '../projections/clients.projection.js'
import { isRevoked } from '../projections/revocations.projection.js'
import { TokenServices } from '../token-services.js'
import { readActiveAccessToken } from './access-token.js'
import { answerClient, readClientRequest } from './client-request.js'

/** A client with this scope may ask about every token; any other only about its own. */
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

/** The introspection endpoint (RFC 7662): the state of a token as the streams say it, without delay. */
@Controller()
export class IntrospectionController {
  constructor(private readonly services: TokenServices) {}

  @Post('introspect')
  @HttpCode(200)
  async introspect(@Req() http: FastifyRequest): Promise<Introspection> {
    const request = readClientRequest(http, this.services)
    const token = request.parameters.require('token')
    return answerClient(request, this.services, client => this.#answer(token, client))
  }

  async #answer(token: string, client: ClientRow): Promise<Introspection> {
    // RFC 7662 §2.1: "the endpoint MUST also require some form of authorization"
    if (client.auth_method === 'none') throw invalidClient('Introspection needs a client that authenticates.')
    const found = parseRefreshToken(token) ? await this.#refreshToken(token) : await this.#accessToken(token)
    if (!found.active) return inactive
    const allowed = found.client_id === client.client_id || client.scopes.includes(introspectScope)
    return allowed ? found : inactive // RFC 7662 §2.2: nothing is told about a token that the caller may not know of
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
    return {
      active: true,
      iss: config.ISSUER,
      client_id: facts.clientId,
      sub: facts.person,
      scope: facts.scopes.join(' '),
      exp: refresh.expiresAt,
      aud: facts.audience,
      ...(facts.boundTo && { cnf: confirmation(facts.boundTo) }),
    }
  }
}
