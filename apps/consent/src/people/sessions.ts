import { createHash } from 'node:crypto'
import { Clock, CONFIG } from '@grantlog/platform'
import { Inject, Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'
import type { ConsentConfig } from '../consent.config.js'
import type { Account } from './accounts.js'

/** Somebody who has signed in. */
export interface Session extends Account {
  /** When, in seconds. */
  readonly signedInAt: number
}

interface SessionRow {
  account_id: string
  name: string
  signed_in_at: string
}

/** Who is signed in. The table holds only hashes of the ids: reading it lets nobody in. */
@Injectable()
export class Sessions {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ConsentConfig,
  ) {}

  async begin(id: string, accountId: string): Promise<void> {
    const now = this.clock.seconds()
    await this.db.query('delete from sessions where expires_at <= $1', [now])
    await this.db.query(
      'insert into sessions (id_hash, account_id, signed_in_at, expires_at) values ($1, $2, $3, $4)',
      [hashOf(id), accountId, now, now + this.config.SESSION_SECONDS],
    )
  }

  async find(id: string): Promise<Session | undefined> {
    const [row]: SessionRow[] = await this.db.query(
      `select account_id, name, signed_in_at from sessions join accounts using (account_id)
       where id_hash = $1 and expires_at > $2 and not suspended`,
      [hashOf(id), this.clock.seconds()],
    )
    return row && { accountId: row.account_id, name: row.name, signedInAt: Number(row.signed_in_at) }
  }

  /** Ends those of an account but the one in which that is asked for. */
  async endOthers(accountId: string, id: string): Promise<void> {
    await this.db.query('delete from sessions where account_id = $1 and id_hash <> $2', [
      accountId,
      hashOf(id),
    ])
  }

  async end(id: string): Promise<void> {
    await this.db.query('delete from sessions where id_hash = $1', [hashOf(id)])
  }
}

const hashOf = (id: string) => createHash('sha256').update(id).digest('base64url')
