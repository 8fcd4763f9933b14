import { createHmac } from 'node:crypto'
import { type DeviceClaims, timeOrderedId } from '@grantlog/contracts'
import { type Parameters, parseParameters, sealCode, serverError, unauthorizedClient } from '@grantlog/oauth'
import { Clock, CONFIG } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { ConsentConfig } from '../consent.config.js'
import { type ClientRow, findClient } from '../projections/clients.projection.js'
import { type AccessRequest, readAccess } from './authorization-request.js'
import { newUserCode } from './user-code.js'

const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'
/** What a request says of what it asks for. The rest of it says who asks. */
const asking = ['scope', 'resource', 'authorization_details']
/** How long it is still told that a code has expired, in seconds. */
const rememberedSeconds = 3600

/** What a device gets, and shows. */
export interface DeviceCodes {
  readonly deviceCode: string
  readonly userCode: string
  /** How long both may be used, in seconds. */
  readonly seconds: number
}

/** What a device asks a person for. */
export interface DeviceRequest {
  /** Also the id of the token family that may come of it. */
  readonly deviceId: string
  readonly userCode: string
  readonly request: AccessRequest
  /** Seconds. */
  readonly expiresAt: number
}

/** Why a user code is no good: it was never given out, or not lately; it is too old; or its request was answered. */
export type Useless = 'unknown' | 'expired' | 'answered'

interface DeviceRow {
  device_id: string
  client_id: string
  query: string
  expires_at: string
  answered_by: string | null
}

/**
 * Requests of devices that wait for a person with a browser (RFC 8628). The table holds only keyed hashes of their user codes, and nothing of
 * the device codes, which are sealed.
 */
@Injectable()
export class DeviceRequests {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  /**
   * Takes what an authenticated client asks for on a device, checked as at the authorization endpoint.
   * @throws OAuthError
   */
  async begin(parameters: Parameters, client: ClientRow): Promise<DeviceCodes> {
    if (!client.grant_types.includes(deviceCodeGrant))
      throw unauthorizedClient('The client may not use the device code grant.')
    const { details } = await readAccess(this.db, parameters, client)
    const deviceId = timeOrderedId()
    const seconds = this.config.DEVICE_CODE_SECONDS
    const expiresAt = this.clock.seconds() + seconds
    const claims: DeviceClaims = {
      deviceId,
      clientId: client.client_id,
      ...(details.length > 0 && { details: [...details] }),
    }
    const deviceCode = await sealCode(claims, this.config.CODE_KEYS, {
      expiresAt,
      kind: 'device code',
    })
    const userCode = await this.#store({
      device_id: deviceId,
      client_id: client.client_id,
      query: queryOf(parameters),
      expires_at: expiresAt,
    })
    return { deviceCode, userCode, seconds }
  }

  /**
   * The request that waits under a user code.
   * @param interaction the page on which it is decided: a form that is sent twice meets its own answer
   * @throws OAuthError when it is no longer in order
   */
  async find(userCode: string, interaction?: string): Promise<DeviceRequest | Useless> {
    const [row]: DeviceRow[] = await this.db.query('select * from device_requests where code_hash = $1', [
      this.#hashOf(userCode),
    ])
    if (row === undefined) return 'unknown'
    if (row.answered_by !== null && row.answered_by !== interaction) return 'answered'
    const expiresAt = Number(row.expires_at)
    if (expiresAt <= this.clock.seconds()) return 'expired'
    const client = await findClient(this.db, row.client_id)
    if (client === undefined) throw unauthorizedClient('The application is not registered any more.')
    if (client.suspended) throw unauthorizedClient('The application has been suspended.')
    const request = await readAccess(this.db, parseParameters(row.query), client)
    return { deviceId: row.device_id, userCode, request, expiresAt }
  }

  /** Answers a request from a page. @returns false when another page did (RFC 8628 §5.1: a code is good for one answer) */
  async answer({ deviceId }: DeviceRequest, interaction: string): Promise<boolean> {
    const [rows]: [{ answered_by: string }[]] = await this.db.query(
      `update device_requests set answered_by = coalesce(answered_by, $2)
       where device_id = $1 returning answered_by`,
      [deviceId, interaction],
    )
    return rows[0]?.answered_by === interaction
  }

  /** Two that wait never have the same code. */
  async #store(
    row: Record<'device_id' | 'client_id' | 'query', string> & { expires_at: number },
  ): Promise<string> {
    const forgotten = this.clock.seconds() - rememberedSeconds
    await this.db.query('delete from device_requests where expires_at <= $1', [forgotten])
    for (let tries = 0; tries < 5; tries++) {
      const userCode = newUserCode()
      const stored: unknown[] = await this.db.query(
        `insert into device_requests (code_hash, device_id, client_id, query, expires_at)
         values ($1, $2, $3, $4, $5) on conflict (code_hash) do nothing returning device_id`,
        [this.#hashOf(userCode), row.device_id, row.client_id, row.query, row.expires_at],
      )
      if (stored.length > 0) return userCode
    }
    throw serverError('No code could be given out.', 'five user codes in a row were taken')
  }

  /** Keyed: 34 bits can be guessed, and whoever reads the table must not find the codes by trying all. */
  #hashOf(userCode: string): string {
    return createHmac('sha256', Buffer.from(this.config.SESSION_KEY, 'base64url'))
      .update(`user code\n${userCode}`)
      .digest('base64url')
  }
}

function queryOf(parameters: Parameters): string {
  const query = new URLSearchParams()
  for (const name of asking) for (const value of parameters.all(name)) query.append(name, value)
  return query.toString()
}
