import { createHash, randomBytes } from 'node:crypto'
import type { AuthorizationDetail } from '@grantlog/oauth'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'

/** What the code and the log say of approved details: the code all of it, the log the digest. */
export interface DetailsApproval {
  readonly granted: AuthorizationDetail[]
  readonly digest: string
}

/**
 * The authorization details that people approved (RFC 9396). They may say who a person is, so they are in no event: the log holds their salted
 * digest, and this table what it is of, for as long as it may be kept.
 */
@Injectable()
export class ApprovedDetails {
  constructor(private readonly db: DataSource) {}

  /** Keeps what was approved with a code. Again with the same code, it is what it was. */
  async keep(
    codeId: string,
    grantId: string,
    details: readonly AuthorizationDetail[],
  ): Promise<DetailsApproval | undefined> {
    if (details.length === 0) return undefined
    const rows: { details: string; salt: string }[] = await this.db.query(
      `insert into approved_details (code_id, grant_id, details, salt) values ($1, $2, $3, $4)
       on conflict (code_id) do update set grant_id = excluded.grant_id
       returning details, salt`,
      [codeId, grantId, JSON.stringify(details), randomBytes(16).toString('base64url')],
    )
    const { details: text = '[]', salt = '' } = rows[0] ?? {}
    return {
      granted: JSON.parse(text) as AuthorizationDetail[],
      digest: createHash('sha256').update(`${salt}${text}`).digest('base64url'),
    }
  }
}
