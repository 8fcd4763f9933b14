/** How far each source of revocations has been heard. It lets a resource server tell "nothing was revoked" from "I hear nothing". */
export class Freshness {
  readonly #heard = new Map<string, number>()

  /** @param sources the services that can revoke; each must be heard */
  constructor(private readonly sources: readonly string[]) {}

  /** The source had said everything that it knew at the time, and all of it has been applied. */
  alive(source: string, time: Date): void {
    this.#heard.set(source, Math.max(time.getTime(), this.#heard.get(source) ?? 0))
  }

  /** Seconds since the source that was heard longest ago; Infinity while one was never heard. */
  stalenessSeconds(now: Date): number {
    return Math.max(0, ...this.sources.map(source => this.#age(source, now)))
  }

  /** Whether every source has been read up to the present once. */
  get complete(): boolean {
    return this.sources.every(source => this.#heard.has(source))
  }

  /** Until when every revocation of each source has been applied, by its own clock; undefined while one was never heard. */
  completeUntil(): Record<string, Date> | undefined {
    if (!this.complete) return undefined
    return Object.fromEntries(this.sources.map(source => [source, new Date(this.#heard.get(source) ?? 0)]))
  }

  /** Seconds per source; null: never heard. */
  report(now: Date): Record<string, number | null> {
    return Object.fromEntries(
      this.sources.map(source => [source, this.#heard.has(source) ? this.#age(source, now) : null]),
    )
  }

  #age(source: string, now: Date): number {
    const heard = this.#heard.get(source)
    return heard === undefined ? Number.POSITIVE_INFINITY : Math.max(0, (now.getTime() - heard) / 1000)
  }
}
