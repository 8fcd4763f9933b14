import { randomInt } from 'node:crypto'

const rows = 4
const slotsPerRow = 2 ** 14

/**
 * A token bucket for each of any number of keys, in half a megabyte whatever comes. A bucket is one number (GCRA): when it will be full
 * again. It stands in four slots, chosen by a hash with a seed that nobody knows, and the least of them counts (a count-min sketch with
 * conservative update). So no bucket is forgotten to make room for others, and what others did counts against a key only where all of
 * its slots are theirs too.
 */
export class Buckets {
  readonly #fullAt = new Float64Array(rows * slotsPerRow).fill(Number.NEGATIVE_INFINITY)
  readonly #slots = new Uint32Array(rows)
  readonly #depth: number

  /**
   * @param every seconds until an empty bucket holds one again; 0: it is never empty
   * @param atOnce what a full bucket holds
   * @param seed of the hash
   */
  constructor(
    private readonly every: number,
    atOnce: number,
    private readonly seed = randomInt(2 ** 32),
  ) {
    this.#depth = every * Math.max(0, atOnce - 1)
  }

  /** Takes one, if there is one. @param now seconds @returns seconds until there is one: 0 when it was taken */
  take(key: string, now: number): number {
    const fullAt = this.#find(key)
    const wait = this.#waitUntil(fullAt, now)
    if (wait === 0) this.#raise(Math.max(now, fullAt) + this.every)
    return wait
  }

  /** How many seconds until there is one. Takes none. */
  wait(key: string, now: number): number {
    return this.#waitUntil(this.#find(key), now)
  }

  /** Puts back what was taken. */
  giveBack(key: string): void {
    const fullAt = this.#find(key)
    for (const slot of this.#slots)
      if (this.#fullAt[slot] === fullAt) this.#fullAt[slot] = fullAt - this.every
  }

  #waitUntil(fullAt: number, now: number): number {
    return Math.max(0, fullAt - now - this.#depth)
  }

  /** Finds the slots of a key. @returns the least of what is in them */
  #find(key: string): number {
    // FNV-1a twice, with different primes: slots are h1 + row · h2
    let h1 = this.seed
    let h2 = ~this.seed
    for (let at = 0; at < key.length; at++) {
      const code = key.charCodeAt(at)
      h1 = Math.imul(h1 ^ code, 0x01000193)
      h2 = Math.imul(h2 ^ code, 0x85ebca6b)
    }
    h1 ^= h1 >>> 15
    h2 ^= h2 >>> 13
    let least = Number.POSITIVE_INFINITY
    for (let row = 0; row < rows; row++) {
      const slot = row * slotsPerRow + (((h1 + Math.imul(row, h2 | 1)) >>> 0) % slotsPerRow)
      this.#slots[row] = slot
      least = Math.min(least, this.#fullAt[slot] ?? 0)
    }
    return least
  }

  #raise(fullAt: number): void {
    for (const slot of this.#slots) if ((this.#fullAt[slot] ?? 0) < fullAt) this.#fullAt[slot] = fullAt
  }
}
