/** A small seeded generator (mulberry32): the same seed gives the same numbers. */
export class Chance {
  #state: number

  constructor(readonly seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to 1, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from 0 on. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  happens(probability: number): boolean {
    return this.next() < probability
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
}

interface Timer {
  readonly due: number
  readonly order: number
  readonly run: () => void
}

/** Time that passes only when nothing else can happen: a minute takes milliseconds, and each run of a seed is the same. */
export class VirtualTime {
  #now = Date.UTC(2026, 0, 1)
  #order = 0
  readonly #timers = new Map<number, Timer>()

  get now(): number {
    return this.#now
  }

  after(milliseconds: number, run: () => void): number {
    const order = this.#order++
    this.#timers.set(order, { due: this.#now + Math.max(0, milliseconds), order, run })
    return order
  }

  cancel(order: number): void {
    this.#timers.delete(order)
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise(resolve => this.after(milliseconds, resolve))
  }

  /**
   * Puts itself in place of the global clock and timers while work runs.
   * @throws Error when the work waits for something that no timer brings, or takes longer than `limit` virtual milliseconds
   */
  async run<T>(work: () => Promise<T>, limit = 600_000): Promise<T> {
    const real = { Date, setTimeout, clearTimeout, setImmediate }
    const time = this
    class VirtualDate extends real.Date {
      constructor(...args: [] | [string | number | Date]) {
        super(...((args.length === 0 ? [time.now] : args) as [number]))
      }
      static override now() {
        return time.now
      }
    }
    const timer = (run: () => void, milliseconds = 0) => {
      const order = this.after(milliseconds, run)
      return { order, unref: () => undefined, ref: () => undefined }
    }
    Object.assign(globalThis, {
      Date: VirtualDate,
      setTimeout: timer,
      setImmediate: (run: () => void) => timer(run),
      clearTimeout: (started?: { order: number }) => started && this.cancel(started.order),
    })
    let outcome: { value: T } | { error: unknown } | undefined
    try {
      work().then(
        value => {
          outcome = { value }
        },
        error => {
          outcome = { error }
        },
      )
      const begun = this.#now
      for (;;) {
        // everything that is ready runs first
        await new Promise<void>(resolve => real.setImmediate(resolve))
        if (outcome !== undefined) break
        const next = this.#next()
        if (next === undefined) throw new Error('Nothing will ever happen again')
        if (next.due - begun > limit) throw new Error('It takes for ever')
        this.#timers.delete(next.order)
        this.#now = Math.max(this.#now, next.due)
        next.run()
      }
    } finally {
      Object.assign(globalThis, real)
    }
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  #next(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers.values())
      if (
        first === undefined ||
        timer.due < first.due ||
        (timer.due === first.due && timer.order < first.order)
      )
        first = timer
    return first
  }
}
