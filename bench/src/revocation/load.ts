import { Connection } from '../token/connection.js'

const workers = 8
const millisecondsPerStep = 16

/** So many requests per second, spread over a few connections, until it is stopped. */
export class Load {
  /** How many were answered, by status. */
  readonly answers = new Map<number, number>()
  readonly #began = performance.now()
  readonly #ending: Promise<unknown>
  #stopping = false

  /** @param request sends one over the connection that it is given; the number counts them */
  constructor(
    port: number,
    private readonly perSecond: number,
    private readonly request: (connection: Connection, number: number) => Promise<number | undefined>,
  ) {
    this.#ending = Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        const connection = new Connection(port)
        await this.#work(connection, worker)
        connection.close()
      }),
    )
  }

  /** @returns how many were answered per second */
  async stop(): Promise<number> {
    this.#stopping = true
    await this.#ending
    const answered = [...this.answers.values()].reduce((sum, count) => sum + count, 0)
    return (answered * 1000) / (performance.now() - this.#began)
  }

  /** Each worker has its share of the requests; one that is late catches up. */
  async #work(connection: Connection, worker: number): Promise<void> {
    for (let number = worker; !this.#stopping; ) {
      const due = ((performance.now() - this.#began) * this.perSecond) / 1000
      for (; number < due; number += workers) {
        const status = await this.request(connection, number)
        if (status !== undefined) this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
      }
      await new Promise(resolve => setTimeout(resolve, millisecondsPerStep))
    }
  }
}
