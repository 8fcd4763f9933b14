import type pg from 'pg'

/**
 * Which instance of a service does what only one may do at a time: session advisory locks on one connection. A killed
 * instance's connection ends, and with it its locks. They spare double work; correctness never rests on them.
 */
export class Locks {
  #client: pg.PoolClient | undefined
  #asking: Promise<unknown> = Promise.resolve()
  #held = new Set<string>()

  constructor(private readonly pool: pg.Pool) {}

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
    this.#client?.release(true)
    this.#lost()
  }

  async #tryFor(name: string): Promise<boolean> {
    if (this.#held.has(name)) return true
    const client = this.#client ?? (await this.#connect())
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [name],
    )
    if (rows[0]?.got === true && this.#client === client) this.#held.add(name)
    return this.#held.has(name)
  }

  async #connect(): Promise<pg.PoolClient> {
    const client = await this.pool.connect()
    client.once('error', () => {
      if (this.#client === client) this.#lost()
    })
    this.#client = client
    return client
  }

  #lost(): void {
    this.#client = undefined
    this.#held = new Set()
  }
}
