const pauseMilliseconds = 10

/**
 * What is told to those who listen, when events were appended. Postgres wakes each of them at each commit that tells anything, whether or
 * not it wants those events, before whoever appended hears that they are stored. So a kind of events that comes again and again is told
 * of once in ten milliseconds; any other at once. What is lost with a connection, those who listen see for themselves a moment later.
 */
export class Notices {
  /** When each kind was told of last, in milliseconds. */
  readonly #told = new Map<string, number>()
  /** What was appended since, and nobody told of. */
  readonly #untold = new Set<string>()
  #last: NodeJS.Timeout | undefined

  /**
   * @param tell tells of kinds once all that was appended before is stored
   * @param now milliseconds that only go forward
   */
  constructor(
    private readonly tell: (kinds: string) => void,
    private readonly now = () => performance.now(),
  ) {}

  /** What to tell with an append of events of these kinds, separated by spaces; null: nothing. */
  with(kinds: Iterable<string>): string | null {
    const now = this.now()
    let due = false
    for (const kind of kinds) {
      this.#untold.add(kind)
      due ||= now - (this.#told.get(kind) ?? -Infinity) >= pauseMilliseconds
    }
    if (due) return this.#take(now)
    // where more is appended, that tells of it
    this.#last ??= setTimeout(() => this.tell(this.#take(this.now())), 2 * pauseMilliseconds).unref()
    return null
  }

  close(): void {
    clearTimeout(this.#last)
  }

  #take(now: number): string {
    clearTimeout(this.#last)
    this.#last = undefined
    const kinds = [...this.#untold]
    this.#untold.clear()
    for (const kind of kinds) this.#told.set(kind, now)
    return kinds.join(' ')
  }
}
