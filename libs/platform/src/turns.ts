/**
 * Work that holds one connection of the pool while it needs others: each waits for the one before. Many at once could hold all, and each
 * would wait for what another has.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** @throws whatever the work throws; the next one's turn comes all the same */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
