import { unauthorizedClient, unsupportedGrantType } from '@grantlog/oauth'
import { currentTrace } from '@grantlog/platform'
import { Body, Controller, Header, Headers, HttpCode, Post } from '@nestjs/common'
import type { TokenResponse } from '../grants/grant.js'
import { grants } from '../grants/index.js'
import { TokenServices } from '../token-services.js'
import { authenticateClient } from './client-authentication.js'
import { readForm } from './form.js'

const maxCodeLength = 8192

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
  ): Promise<TokenResponse> {
    const parameters = readForm(body, { maxValueLength: maxCodeLength })
    const type = parameters.require('grant_type')
    const grant = grants.find(candidate => candidate.type === type)
    if (grant === undefined) throw unsupportedGrantType('The grant type is not supported.')
    const client = await authenticateClient({ authorization, parameters }, this.services)
    if (!client.grant_types.includes(type))
      throw unauthorizedClient('The client is not registered for the grant type.')
    return grant.handle({ client, parameters, traceparent: currentTrace()?.traceparent }, this.services)
  }
}
