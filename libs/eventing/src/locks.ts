import type pg from 'pg'
import { KeptConnection } from './kept-connection.js'

const leaseMilliseconds = 5000

/**
 * Which instance of a service does what only one may do at a time: session advisory locks on one connection. A killed
 * instance's connection ends, and with it its locks; that of a frozen one says nothing, and Postgres ends it after the lease.
 * They spare double work; correctness never rests on them.
 */
export class Locks {
  readonly #connection: KeptConnection
  #asking: Promise<unknown> = Promise.resolve()
  #held = new Set<string>()
  #touched = 0

  /** @param lease how long a silent instance keeps its locks, in milliseconds; it must ask `hold` more often */
  constructor(
    pool: pg.Pool,
    private readonly lease = leaseMilliseconds,
  ) {
    this.#connection = new KeptConnection(
      pool,
      client => client.query(`set idle_session_timeout = ${lease}`),
      () => {
        this.#held = new Set()
      },
    )
  }

  /** Whether this process holds the lock, after trying for it if it does not. To be asked again and again: it renews the lease. */
  hold(name: string): Promise<boolean> {
    // one question at a time on the one connection
    const answer = this.#asking.then(() => this.#tryFor(name))
    this.#asking = answer.catch(() => undefined)
    return answer
  }

  holds(name: string): boolean {
    return this.#held.has(name)
  }

  close(): void {
    this.#connection.close()
  }

  async #tryFor(name: string): Promise<boolean> {
    if (this.#held.has(name) && Date.now() - this.#touched < this.lease / 5) return true
    const client = await this.#connection.get()
    const held = this.#held.has(name) // not any more, when the connection had to be opened anew
    const { rows } = await client.query<{ got: boolean }>(
      `select ${held ? 'true' : 'pg_try_advisory_lock(hashtextextended($1, 0))'} as got`,
      held ? [] : [name],
    )
    this.#touched = Date.now()
    if (rows[0]?.got === true && this.#connection.is(client)) this.#held.add(name)
    return this.#held.has(name)
  }
}
