import { createHash, randomBytes } from 'node:crypto'
import { rulesOf } from '@grantlog/oauth'
import { Clock, CONFIG } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { ConsentConfig } from '../consent.config.js'
import type { ClientRow } from '../projections/clients.projection.js'

/** The name space of RFC 9126 §2.2. */
const prefix = 'urn:ietf:params:oauth:request_uri:'
/** A person who was shown the question in time may take this long to answer, in seconds: she signs in, reads, reloads. */
const answerSeconds = 3600

export interface PushedRequest {
  /** The parameters, as if they stood in the URL. */
  readonly query: string
  /** The page on which it was decided; null: it was not. */
  readonly answeredBy: string | null
}

/** Authorization requests that wait for their browser (RFC 9126). The table holds only hashes of their ids. */
@Injectable()
export class PushedRequests {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  /** @returns the `request_uri`, which nobody can guess (§7.1), and for how many seconds a browser may bring it */
  async push(client: ClientRow, query: string): Promise<{ uri: string; seconds: number }> {
    const now = this.clock.seconds()
    const longest = rulesOf(client.profile).pushedRequestSeconds
    const seconds = Math.min(this.config.PUSHED_REQUEST_SECONDS, longest)
    const uri = `${prefix}${randomBytes(32).toString('base64url')}`
    await this.db.query('delete from pushed_requests where expires_at <= $1', [now])
    await this.db.query(
      'insert into pushed_requests (uri_hash, client_id, query, expires_at) values ($1, $2, $3, $4)',
      [hashOf(uri), client.client_id, query, now + seconds],
    )
    return { uri, seconds }
  }

  /** The request, when this client pushed it and it has not expired. From the first time on it waits for its answer. */
  async open(uri: string, clientId: string): Promise<PushedRequest | undefined> {
    const now = this.clock.seconds()
    const [rows]: [{ query: string; answered_by: string | null }[]] = await this.db.query(
      `update pushed_requests
       set opened = true, expires_at = case when opened then expires_at else greatest(expires_at, $4) end
       where uri_hash = $1 and client_id = $2 and expires_at > $3
       returning query, answered_by`,
      [hashOf(uri), clientId, now, now + answerSeconds],
    )
    const row = rows[0]
    return row && { query: row.query, answeredBy: row.answered_by }
  }

  /** Answers the request from a page. @returns false when another page did (§4: “treat request_uri values as one-time use”) */
  async answer(uri: string, interaction: string): Promise<boolean> {
    const [rows]: [{ answered_by: string }[]] = await this.db.query(
      `update pushed_requests set answered_by = coalesce(answered_by, $2)
       where uri_hash = $1 returning answered_by`,
      [hashOf(uri), interaction],
    )
    return rows[0]?.answered_by === interaction
  }
}

/** Whether a `request_uri` is of ours. */
export const isPushed = (uri: string) => uri.startsWith(prefix)

const hashOf = (uri: string) => createHash('sha256').update(uri).digest('base64url')
