import { ClientRequests } from '@grantlog/platform'
import { Controller, Post, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { AuthorizationRequests } from '../authorization/authorization-requests.js'
import type { ClientRow } from '../projections/clients.projection.js'

/** Longest parameter: a request object. */
const longest = 16 * 1024

/** RFC 9126 §2.2 */
interface Pushed {
  request_uri: string
  /** Seconds. */
  expires_in: number
}

/** The pushed authorization request endpoint (RFC 9126): a client says what it asks for before any browser is involved. */
@Controller()
export class ParController {
  constructor(
    private readonly clientRequests: ClientRequests<ClientRow>,
    private readonly requests: AuthorizationRequests,
  ) {}

  @Post('par')
  async push(@Req() http: FastifyRequest): Promise<Pushed> {
    const request = this.clientRequests.read(http, { maxValueLength: longest })
    // RFC 9126 §2.1: "Authenticate the client in the same way as at the token endpoint"
    return this.clientRequests.answer(request, async client => {
      const proof = await this.clientRequests.readProof(http, 'par', client)
      const { uri, seconds } = await this.requests.push(request.parameters, client, proof?.thumbprint)
      return { request_uri: uri, expires_in: seconds }
    })
  }
}
