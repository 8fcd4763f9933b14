import { createHash } from 'node:crypto'
import { Clock } from '@grantlog/platform'
import { Injectable } from '@nestjs/common'
import { DataSource } from 'typeorm'

const periodSeconds = 15 * 60

/** How often something may be tried in a period: counted in the database, so that every instance counts alike. */
@Injectable()
export class Attempts {
  constructor(
    private readonly db: DataSource,
    private readonly clock: Clock,
  ) {}

  /**
   * Counts an attempt under each key.
   * @param limits how many a period may have of each
   * @returns how long to wait, in seconds, when there were too many; else undefined
   */
  async count(limits: Readonly<Record<string, number>>): Promise<number | undefined> {
    const now = this.clock.seconds()
    const period = Math.floor(now / periodSeconds)
    await this.db.query('delete from attempts where period < $1', [period])
    const rows: { key: string; attempts: number }[] = await this.db.query(
      `insert into attempts (key, period, attempts) select unnest($1::text[]), $2, 1
       on conflict (key, period) do update set attempts = attempts.attempts + 1
       returning key, attempts`,
      [Object.keys(limits).toSorted(), period],
    )
    const tooMany = rows.some(({ key, attempts }) => attempts > (limits[key] ?? 0))
    return tooMany ? (period + 1) * periodSeconds - now : undefined
  }

  /** Takes one attempt back. */
  async uncount(keys: readonly string[]): Promise<void> {
    await this.db.query('update attempts set attempts = attempts - 1 where key = any($1) and attempts > 0', [
      keys,
    ])
  }

  async forget(keys: readonly string[]): Promise<void> {
    await this.db.query('delete from attempts where key = any($1)', [keys])
  }
}

/** A key of what is counted. Hashed: the table names neither people nor where they are. */
export function attemptKey(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url')
}

/** How long somebody is told to wait. */
export const tooManyAttempts = (seconds: number) =>
  `Too many attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`
