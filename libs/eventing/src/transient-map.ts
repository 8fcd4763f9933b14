const renewedAfter = 128

/**
 * A map of what comes and goes all the time. Each table that a `Map` outgrows points to the next, for iterators. Once one of them lies among
 * V8’s old objects, so do all that come after it, with all that was in them, until the whole heap is looked through. This one starts anew
 * before they become many.
 */
export class TransientMap<Key, Value> {
  #map = new Map<Key, Value>()
  #setSince = 0

  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  set(key: Key, value: Value): void {
    if (this.#setSince++ > renewedAfter + this.#map.size) {
      this.#map = new Map(this.#map)
      this.#setSince = 0
    }
    this.#map.set(key, value)
  }

  delete(key: Key): void {
    this.#map.delete(key)
  }
}
