/** What was kept last: at least so many, and no more than twice as many. What is asked for stays. */
export class Recent<Value> {
  #recent = new Map<string, Value>()
  #before = new Map<string, Value>()

  constructor(private readonly atLeast: number) {}

  get(key: string): Value | undefined {
    const recent = this.#recent.get(key)
    if (recent !== undefined) return recent
    const before = this.#before.get(key)
    if (before !== undefined) this.keep(key, before)
    return before
  }

  keep(key: string, value: Value): void {
    if (this.#recent.size >= this.atLeast && !this.#recent.has(key)) {
      this.#before = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(key, value)
  }

  forget(key: string): void {
    this.#recent.delete(key)
    this.#before.delete(key)
  }

  forgetAll(): void {
    this.#recent.clear()
    this.#before.clear()
  }
}
