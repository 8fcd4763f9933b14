import { type DeviceClaims, deviceClaims, type EventData } from '@grantlog/contracts'
import {
  accessDenied,
  authorizationPending,
  invalidGrant,
  narrowedDetails,
  openCode,
  slowDown,
} from '@grantlog/oauth'
import { findDevice } from '../projections/devices.projection.js'
import type { TokenServices } from '../token-services.js'
import { beginFamily } from './begin-family.js'
import { isTooSoon } from './device-polls.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import { assertResource } from './target.js'

/**
 * RFC 8628 §3.4: a device asks until somebody has answered. Its code says which device it is; what she allowed is told by the consent
 * service's event, and until that has arrived nobody has answered.
 */
export const deviceCode: Grant = {
  type: 'urn:ietf:params:oauth:grant-type:device_code',
  takesDetails: true,

  async handle(request: TokenRequest, services: TokenServices): Promise<TokenResponse> {
    const { client, parameters } = request
    const now = services.clock.seconds()
    const device = await readCode(parameters.require('device_code'), services, now)
    if (device.clientId !== client.client_id)
      throw invalidGrant('The device code was issued to another client.')
    // what will never do is said at once, and not when she has allowed it
    const granted = device.details ?? []
    const details = narrowedDetails(parameters.get('authorization_details'), granted)
    if (await isTooSoon({ deviceId: device.deviceId, expiresAt: device.exp, now }, services))
      throw slowDown('Ask less often: wait five seconds more between requests.')
    const approval = await readAnswer(device.deviceId, services)
    assertResource(parameters, approval.audience)
    return beginFamily(
      {
        familyId: device.deviceId,
        grantId: approval.grantId,
        owner: approval.owner,
        person: approval.subject,
        audience: approval.audience,
        scopes: approval.scopes,
        detailsDigest: approval.detailsDigest,
        granted,
        details,
        accessTokenSeconds: approval.accessTokenSeconds,
        approvedAt: approval.approvedAt,
        authTime: approval.authTime,
        grantExpiresAt: approval.grantExpiresAt,
      },
      { request, grantType: deviceCode.type, now },
      services,
    )
  },
}

async function readCode(
  code: string,
  services: TokenServices,
  now: number,
): Promise<DeviceClaims & { readonly exp: number }> {
  const opened = await openCode(code, services.sealKeys, { now, kind: 'device code' })
  const claims = deviceClaims.safeParse(opened)
  if (!claims.success) throw invalidGrant('The device code is invalid or has expired.', claims.error.message)
  return { ...claims.data, exp: Number(opened.exp) }
}

/** What she allowed. @throws OAuthError authorization_pending, access_denied @see RFC 8628 §3.5 */
async function readAnswer(
  deviceId: string,
  { db }: TokenServices,
): Promise<EventData<'grant.device-approved'>> {
  const answer = await findDevice(db, deviceId)
  if (answer === undefined) throw authorizationPending('Nobody has answered yet: ask again.')
  if (answer.approval === null) throw accessDenied('The resource owner denied the request.')
  return answer.approval
}
