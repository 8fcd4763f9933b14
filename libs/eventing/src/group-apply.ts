import type pg from 'pg'
import type { Projection } from './projection.js'
import { applyDeliveries } from './read-model.js'
import type { Delivery, Position } from './transport/transport.js'

const maxEvents = 5000

/**
 * Deliveries of several partitions that wait at the same time share a transaction: under a light load each holds an event or
 * two, and a commit for each would be most of the work. Each keeps its own outcome.
 */
export class GroupApply {
  #waiting: Waiting[] = []
  #applying: Promise<void> | undefined

  constructor(
    private readonly pool: pg.Pool,
    private readonly projection: Projection,
  ) {}

  /** @returns where the projection stands in the partition now; @throws as `applyDeliveries` */
  apply(delivery: Delivery): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, resolve, reject })
      this.#applying ??= this.#applyAll()
    })
  }

  async #applyAll(): Promise<void> {
    await undefined // those that were delivered together come along
    while (this.#waiting.length > 0) await this.#together(this.#nextGroup())
    this.#applying = undefined
  }

  #nextGroup(): Waiting[] {
    let events = 0
    const end = this.#waiting.findIndex(({ delivery }, index) => {
      events += delivery.events.length
      return index > 0 && events > maxEvents
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  async #together(group: readonly Waiting[]): Promise<void> {
    try {
      const positions = await applyDeliveries(
        this.pool,
        this.projection,
        group.map(({ delivery }) => delivery),
      )
      for (const [index, position] of positions.entries()) group[index]?.resolve(position)
    } catch (error) {
      // what stops one partition must not stop the others
      if (group.length > 1) for (const one of group) await this.#together([one])
      else group[0]?.reject(error)
    }
  }
}

interface Waiting {
  readonly delivery: Delivery
  resolve(position: Position): void
  reject(error: unknown): void
}
