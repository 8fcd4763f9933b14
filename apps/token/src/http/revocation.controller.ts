import type { Known } from '@grantlog/eventing'
import { namedTokenId } from '@grantlog/oauth'
import { currentTrace } from '@grantlog/platform'
import { Controller, HttpCode, Post, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { type AccessTokenState, accessToken } from '../domain/access-token.js'
import { family } from '../domain/family.js'
import { parseRefreshToken } from '../grants/issuance.js'
import { wasIssued } from '../grants/refresh-token.js'
import type { ClientRow } from '../projections/clients.projection.js'
import { TokenServices } from '../token-services.js'
import { readAccessToken } from './access-token.js'

const why = { reason: 'client-revoked' } as const

/**
 * The revocation endpoint (RFC 7009). A refresh token ends its whole family; an access token only itself. Whether anything was
 * revoked is not told: an invalid token is as good as revoked (§2.2).
 */
@Controller()
export class RevocationController {
  constructor(private readonly services: TokenServices) {}

  @Post('revoke')
  @HttpCode(200)
  async revoke(@Req() http: FastifyRequest): Promise<void> {
    const { clientRequests } = this.services
    const request = clientRequests.read(http)
    const token = request.parameters.require('token')
    await clientRequests.answer(request, client =>
      // RFC 7009 §2.1: token_type_hint may be wrong, so what the token looks like decides
      parseRefreshToken(token)
        ? this.#revokeFamily(token, client.client_id)
        : this.#revokeAccessToken(token, client),
    )
  }

  async #revokeFamily(token: string, clientId: string): Promise<void> {
    const { commands } = this.services
    const { familyId = '', hash = '' } = parseRefreshToken(token) ?? {}
    const { state } = await commands.load(family, familyId)
    // RFC 7009 §2.1: "verifies whether the token was issued to the client making the revocation request"
    if (state.facts?.clientId !== clientId) return
    if (state.refresh?.hash !== hash && !(await wasIssued(this.services, familyId, hash))) return
    await commands.run(family, familyId, { type: 'revoke', familyId, why }, this.#context(clientId))
  }

  async #revokeAccessToken(token: string, client: ClientRow): Promise<void> {
    const { commands, clock } = this.services
    const tokenId = namedTokenId(token)
    // A client that proved who it is may revoke what the log says was issued to it: the signature would vouch for no more.
    if (tokenId !== undefined && client.auth_method !== 'none') {
      const known = await commands.load(accessToken, tokenId)
      if (known.state.clientId === client.client_id) {
        if (clock.seconds() < Number(known.state.expiresAt)) await this.#revokeToken(tokenId, client, known)
        return
      }
    }
    const claims = await readAccessToken(token, this.services)
    if (claims?.client_id === client.client_id) await this.#revokeToken(claims.jti, client)
  }

  async #revokeToken(
    tokenId: string,
    { client_id }: ClientRow,
    known?: Known<AccessTokenState>,
  ): Promise<void> {
    const command = { type: 'revoke', tokenId, why } as const
    await this.services.commands.run(accessToken, tokenId, command, this.#context(client_id), known)
  }

  #context(clientId: string) {
    return { actor: { type: 'client', id: clientId }, traceparent: currentTrace()?.traceparent } as const
  }
}
