/** Runs a step again and again, one at a time: after the pause that the step asks for, or at once when woken. */
export class Loop {
  #running: Promise<void> | undefined
  /** From one start to the next stop. */
  #turn: object | undefined
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
    if (this.#turn !== undefined) return
    const turn = {}
    this.#turn = turn
    this.#running = this.#run(turn, this.#running)
  }

  wake(): void {
    this.#woken = true
    this.#rouse?.()
  }

  async stop(): Promise<void> {
    this.#turn = undefined
    this.#rouse?.()
    await this.#running
  }

  async #run(turn: object, before: Promise<void> | undefined): Promise<void> {
    await before // its last step may be under way
    while (this.#turn === turn) {
      this.#woken = false
      const pause = await this.step().catch(error => this.failed(error))
      if (this.#turn === turn && !this.#woken && pause > 0) await this.#sleep(pause)
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
