/** One question to a resource server: whether it took a token, and when it was asked. Milliseconds of `performance.now`. */
export interface Sample {
  readonly channel: string
  readonly token: string
  readonly asked: number
  readonly accepted: boolean
}

/** How a resource server is asked about a token, and how old what it knows may be when it accepts one. */
export interface Channel {
  readonly name: string
  readonly maxStalenessSeconds: number
  readonly accepts: (token: string) => Promise<boolean>
}

/** Asks every channel again and again, about good and about revoked tokens, and remembers what it said. */
export class Watch {
  readonly samples: Sample[] = []
  readonly good: string[]
  /** When each revocation was acknowledged. */
  readonly revoked = new Map<string, number>()
  readonly #working: Promise<unknown>
  #over = false

  constructor(
    private readonly channels: readonly Channel[],
    tokens: readonly string[],
    private readonly revoke: (token: string) => Promise<void>,
  ) {
    this.good = tokens.filter((_, index) => index % 2 === 0)
    const toRevoke = tokens.filter((_, index) => index % 2 === 1)
    this.#working = Promise.all([...channels.map(channel => this.#ask(channel)), this.#revokeAll(toRevoke)])
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#working
  }

  /** Whether each channel takes a good token now. */
  async allAccept(): Promise<boolean> {
    const answers = await Promise.all(this.channels.map(({ accepts }) => accepts(this.good[0] ?? '')))
    return answers.every(accepted => accepted)
  }

  /** Those that a channel took although it can not have heard for too long that they were not revoked; as sentences. */
  acceptedTooLate(): string[] {
    return this.samples.flatMap(({ channel, token, asked, accepted }) => {
      const acknowledged = this.revoked.get(token)
      if (!accepted || acknowledged === undefined) return []
      const late = asked - acknowledged - this.#limit(channel)
      return late > 0 ? [`${channel} took a revoked token ${Math.round(late)} ms after its bound`] : []
    })
  }

  /** Those that a channel took between two moments, although what it knew was older than it may be. */
  acceptedUnheard(silentFrom: number, silentUntil: number): string[] {
    return this.samples
      .filter(({ channel, asked }) => asked > silentFrom + this.#limit(channel) && asked < silentUntil)
      .filter(({ accepted }) => accepted)
      .map(
        ({ channel, asked }) =>
          `${channel} took a token ${Math.round(asked - silentFrom)} ms into the silence`,
      )
  }

  /** Once it is quiet: every channel refuses all that was revoked, and takes the rest; what it does otherwise, as sentences. */
  async settledAnswers(): Promise<string[]> {
    const found: string[] = []
    for (const { name, accepts } of this.channels) {
      for (const token of [...this.good, ...this.revoked.keys()]) {
        const accepted = await accepts(token)
        if (accepted === this.revoked.has(token))
          found.push(`${name} ${accepted ? 'takes a revoked' : 'refuses a good'} token`)
        await new Promise(setImmediate) // what follows the revocations in this process must not wait for thousands of answers
      }
    }
    return found
  }

  /** How many answers of a channel there are between two moments. */
  count(channel: string, from: number, until: number, accepted: boolean): number {
    return this.samples.filter(
      each =>
        each.channel === channel && each.asked > from && each.asked < until && each.accepted === accepted,
    ).length
  }

  #limit(channel: string): number {
    return (this.channels.find(({ name }) => name === channel)?.maxStalenessSeconds ?? 0) * 1000
  }

  async #ask({ name, accepts }: Channel): Promise<void> {
    for (let turn = 0; !this.#over; turn++) {
      const revoked = [...this.revoked.keys()]
      const among = turn % 2 === 0 || revoked.length === 0 ? this.good : revoked.slice(-200)
      const token = among[(turn * 7919) % among.length] ?? ''
      const asked = performance.now()
      this.samples.push({ channel: name, token, asked, accepted: await accepts(token) })
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }

  async #revokeAll(tokens: readonly string[]): Promise<void> {
    for (const token of tokens) {
      if (this.#over) return
      await this.revoke(token)
      this.revoked.set(token, performance.now())
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }
}
