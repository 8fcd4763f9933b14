/** Runs a step again and again, one at a time: after the pause that the step asks for, or at once when woken. */
export class Loop {
  #running: Promise<void> | undefined
  #stopped = true
  #woken = false
  #rouse: (() => void) | undefined

  /**
   * @param step returns the milliseconds until the next run
   * @param failed hears of a step that threw, and returns the milliseconds until the next try
   */
  constructor(
    private readonly step: () => Promise<number>,
    private readonly failed: (error: unknown) => number,
  ) {}

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#running = this.#run()
  }

  wake(): void {
    this.#woken = true
    this.#rouse?.()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#rouse?.()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false
      const pause = await this.step().catch(error => this.failed(error))
      if (!this.#stopped && !this.#woken && pause > 0) await this.#sleep(pause)
    }
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(done, milliseconds)
      function done() {
        clearTimeout(timer)
        resolve()
      }
      this.#rouse = done
    })
  }
}
