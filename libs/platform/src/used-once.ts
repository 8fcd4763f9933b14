import { createHash } from 'node:crypto'
import type { DataSource } from 'typeorm'

const slots = 4
const slotSeconds = 900

/**
 * The table of {@link UsedOnce}. What expires together lies together, in parts that take turns: a part whose time is over is emptied at
 * once, and the table stays as large as what can still be presented.
 */
export const createUsedOnceTable = `
  create table used_once (
    slot smallint not null,
    expires_at bigint not null,
    digest bytea not null,
    primary key (slot, expires_at, digest)
  ) partition by list (slot);
  ${Array.from({ length: slots }, (_, slot) => `create table used_once_${slot} partition of used_once for values in (${slot});`).join('\n')}`

interface Asked {
  readonly id: string
  readonly expiresAt: number
  readonly answer: (first: boolean) => void
  readonly fail: (error: unknown) => void
}

/**
 * What may be presented only once (the `jti` of an assertion or a proof), over all instances and restarts. Those who ask while a
 * statement is under way share the next one.
 */
export class UsedOnce {
  #waiting: Asked[] = []
  #asking = false
  #emptied: number | undefined

  constructor(
    private readonly db: DataSource,
    private readonly seconds: () => number,
  ) {}

  /**
   * True for the first who asks about an id.
   * @param expiresAt when it can no longer be presented, in seconds: at most 15 minutes ahead, and the same whenever it is
   */
  once(id: string, expiresAt: number): Promise<boolean> {
    if (expiresAt > this.seconds() + slotSeconds)
      throw new RangeError(`${expiresAt} is more than 15 minutes ahead`)
    return new Promise((answer, fail) => {
      this.#waiting.push({ id, expiresAt: Math.ceil(expiresAt), answer, fail }) // RFC 7519 §2: it may have a fraction
      if (!this.#asking) void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    this.#asking = true
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, 1000)
      try {
        const fresh = await this.#insert(asked)
        for (const each of asked) each.answer(fresh.delete(keyOf(each)))
      } catch (error) {
        for (const each of asked) each.fail(error)
      }
    }
    this.#asking = false
  }

  async #insert(asked: readonly Asked[]): Promise<Set<string>> {
    await this.#emptyWhatIsOver()
    const times = asked.map(({ expiresAt }) => expiresAt)
    const rows: { key: string }[] = await this.db.query(
      `insert into used_once (slot, expires_at, digest)
       select * from unnest($1::smallint[], $2::bigint[], $3::bytea[]) on conflict do nothing
       returning expires_at || ' ' || encode(digest, 'hex') as key`,
      [times.map(slotOf), times, asked.map(({ id }) => digestOf(id))],
    )
    return new Set(rows.map(({ key }) => key))
  }

  /** The part before the last: nothing in it can be presented any more, whatever the instances' clocks say. */
  async #emptyWhatIsOver(): Promise<void> {
    const over = slotOf(this.seconds() + 2 * slotSeconds)
    if (over === this.#emptied) return
    this.#emptied = over
    const [row]: { some: boolean }[] = await this.db.query(
      `select exists (select from used_once_${over} where expires_at < $1) as some`,
      [this.seconds() - slotSeconds],
    )
    if (row?.some) await this.db.query(`truncate used_once_${over}`)
  }
}

const slotOf = (seconds: number) => Math.floor(seconds / slotSeconds) % slots
const digestOf = (id: string) => createHash('sha256').update(id).digest().subarray(0, 16)
const keyOf = ({ id, expiresAt }: Asked) => `${expiresAt} ${digestOf(id).toString('hex')}`
