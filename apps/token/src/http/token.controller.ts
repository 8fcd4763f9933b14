import { createHash } from 'node:crypto'
import { unauthorizedClient, unsupportedGrantType } from '@grantlog/oauth'
import { currentTrace } from '@grantlog/platform'
import { Body, Controller, Header, Headers, HttpCode, Post } from '@nestjs/common'
import type { TokenResponse } from '../grants/grant.js'
import { grants } from '../grants/index.js'
import type { ClientRow } from '../projections/clients.projection.js'
import { TokenServices } from '../token-services.js'
import { authenticateClient } from './client-authentication.js'
import { readForm } from './form.js'

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
    @Body() body: unknown,
    @Headers('authorization') authorization?: string,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<TokenResponse> {
    const parameters = readForm(body, { maxValueLength: maxCodeLength })
    const type = parameters.require('grant_type')
    const grant = grants.find(candidate => candidate.type === type)
    if (grant === undefined) throw unsupportedGrantType('The grant type is not supported.')
    const client = await authenticateClient({ authorization, parameters }, this.services)
    if (!client.grant_types.includes(type))
      throw unauthorizedClient('The client is not registered for the grant type.')
    const sender = senderOf(client, idempotencyKey)
    return grant.handle(
      { client, parameters, traceparent: currentTrace()?.traceparent, sender },
      this.services,
    )
  }
}

/**
 * What a sender can prove again: a confidential client, that it is the client; a public one, that it knows the key of its first try
 * (draft-ietf-httpapi-idempotency-key-header), when nobody could guess it.
 */
function senderOf({ client_id, auth_method }: ClientRow, idempotencyKey: string | undefined): string | null {
  if (auth_method !== 'none') return `client ${client_id}`
  if (idempotencyKey === undefined || idempotencyKey.length < unguessableLength) return null
  return `key ${createHash('sha256').update(idempotencyKey).digest('base64url')}`
}
