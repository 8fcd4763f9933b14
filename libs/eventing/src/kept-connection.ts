import type pg from 'pg'

/**
 * One connection of the pool, taken at the first use and kept: for locks, for LISTEN, for the writer. When it breaks it goes
 * back to the pool at once, which would otherwise count it for ever, and the next use takes another. One user at a time.
 */
export class KeptConnection {
  #client: pg.PoolClient | undefined
  #opening: Promise<pg.PoolClient> | undefined

  /**
   * @param opened prepares each new connection: nobody gets it before
   * @param lost hears that what hung on the connection is gone
   */
  constructor(
    private readonly pool: pg.Pool,
    private readonly opened: (client: pg.PoolClient) => Promise<unknown> = async () => undefined,
    private readonly lost: () => void = () => undefined,
  ) {}

  async get(): Promise<pg.PoolClient> {
    if (this.#client && !this.#opening) return this.#client
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Whether this is the connection in use: what was asked on another no longer counts. */
  is(client: pg.PoolClient): boolean {
    return this.#client === client
  }

  /** Ends the connection. */
  close(): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    client.release(true)
    this.lost()
  }

  async #open(): Promise<pg.PoolClient> {
    const client = await this.pool.connect()
    this.#client = client
    client.once('error', () => {
      if (this.#client === client) this.close()
    })
    try {
      await this.opened(client)
    } catch (error) {
      if (this.#client === client) this.close()
      throw error
    }
    return client
  }
}
