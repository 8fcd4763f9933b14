import { createHash } from 'node:crypto'
import { Clock } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'

const periodSeconds = 15 * 60

/** Failed attempts per period. One guesser is stopped soon; a person whose address others try can still get in. */
const limits = { pair: 10, address: 100, email: 200 } as const

/** How often somebody may try passwords: counted in the database, so that every instance counts alike. */
@Injectable()
export class SignInLimits {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Counts an attempt. @returns how long to wait, in seconds, when there were too many; else undefined */
  async count(email: string, address: string): Promise<number | undefined> {
    const now = this.clock.seconds()
    const period = Math.floor(now / periodSeconds)
    await this.db.query('delete from sign_in_attempts where period < $1', [period])
    const keys = keysOf(email, address)
    const rows: { key: string; attempts: number }[] = await this.db.query(
      `insert into sign_in_attempts (key, period, attempts) select unnest($1::text[]), $2, 1
       on conflict (key, period) do update set attempts = sign_in_attempts.attempts + 1
       returning key, attempts`,
      [Object.values(keys).sort(), period],
    )
    const tooMany = rows.some(({ key, attempts }) =>
      (Object.keys(limits) as (keyof typeof limits)[]).some(
        kind => keys[kind] === key && attempts > limits[kind],
      ),
    )
    return tooMany ? (period + 1) * periodSeconds - now : undefined
  }

  /** She knew the password: what was counted against her is forgotten, and her address is not charged for it. */
  async succeeded(email: string, address: string): Promise<void> {
    const { pair, email: any, address: shared } = keysOf(email, address)
    await this.db.query('delete from sign_in_attempts where key = any($1)', [[pair, any]])
    // the others' failures there stay: one password that she knows must not buy an address more guesses
    await this.db.query(
      'update sign_in_attempts set attempts = attempts - 1 where key = $1 and attempts > 0',
      [shared],
    )
  }
}

/** Hashed: the table names neither people nor where they are. */
function keysOf(email: string, address: string) {
  const hashed = (...parts: string[]) => createHash('sha256').update(parts.join('\n')).digest('base64url')
  const known = email.toLowerCase()
  return {
    pair: hashed('pair', known, address),
    address: hashed('address', address),
    email: hashed('email', known),
  }
}
