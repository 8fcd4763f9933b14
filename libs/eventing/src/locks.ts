import type pg from 'pg'
import { KeptConnection } from './kept-connection.js'

/**
 * Which instance of a service does what only one may do at a time: session advisory locks on one connection. A killed
 * instance's connection ends, and with it its locks. They spare double work; correctness never rests on them.
 */
export class Locks {
  readonly #connection: KeptConnection
  #asking: Promise<unknown> = Promise.resolve()
  #held = new Set<string>()

  constructor(pool: pg.Pool) {
    this.#connection = new KeptConnection(pool, undefined, () => {
      this.#held = new Set()
    })
  }

  /** Whether this process holds the lock, after trying for it if it does not. */
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
    if (this.#held.has(name)) return true
    const client = await this.#connection.get()
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [name],
    )
    if (rows[0]?.got === true && this.#connection.is(client)) this.#held.add(name)
    return this.#held.has(name)
  }
}
