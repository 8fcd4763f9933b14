import { ClientRequests, CONFIG } from '@grantlog/platform'
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { DeviceRequests } from '../authorization/device-requests.js'
import type { ConsentConfig } from '../consent.config.js'
import type { ClientRow } from '../projections/clients.projection.js'

/** RFC 8628 §3.2 */
interface DeviceAuthorization {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete: string
  /** Seconds. */
  expires_in: number
  /** Seconds. */
  interval: number
}

/** RFC 8628 §3.5: 5 is what a client takes it for that is not told; the token service counts on it. */
const interval = 5

/** The device authorization endpoint (RFC 8628 §3.1): a device says what it asks for, and gets the codes. */
@Controller()
export class DeviceAuthorizationController {
  constructor(
    private readonly clientRequests: ClientRequests<ClientRow>,
    private readonly requests: DeviceRequests,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  @Post('device_authorization')
  @HttpCode(200)
  async begin(@Req() http: FastifyRequest): Promise<DeviceAuthorization> {
    const request = this.clientRequests.read(http)
    // RFC 8628 §3.1: "The client authentication requirements of Section 3.2.1 of [RFC6749] apply"
    const { deviceCode, userCode, seconds } = await this.clientRequests.answer(request, client =>
      this.requests.begin(request.parameters, client),
    )
    const page = `${this.config.PUBLIC_URL.replace(/\/$/, '')}/device`
    return {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?user_code=${userCode}`,
      expires_in: seconds,
      interval,
    }
  }
}
