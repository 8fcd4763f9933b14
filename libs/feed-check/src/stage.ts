import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, Consumer } from './consumer.js'
import { type Feed, partitionOfTarget, type Revocation, type Target, targetOn } from './feed.js'

/** What the consumer did wrong, in a sentence. */
export class Wrong extends Error {
  override readonly name = 'Wrong'
}

/** Seconds that a consumer may take to alarm, once it can know. */
export const alarmSeconds = 5

export interface Patience {
  /** Seconds that it may take to start, and to apply what came. */
  readonly within: number
  /** Seconds without heartbeats that it bears. */
  readonly staleAfter: number
}

/** One consumer and the feed that it reads, with what a case looks at. */
export class Stage<F extends Feed = Feed> {
  readonly earlier: readonly Revocation[] = [0, 1, 2].map(partition => ({
    target: targetOn(partition),
    issuedBefore: null,
  }))
  readonly #nobody = targetOn(0)

  constructor(
    readonly feed: F,
    readonly consumer: Consumer,
    readonly patience: Patience,
  ) {}

  /** @throws Wrong when it does not become ready */
  async open(): Promise<void> {
    await this.feed.open(this.earlier)
    await this.restart()
  }

  async restart(): Promise<void> {
    await this.consumer.start?.(this.feed)
    const ready = (answer: Answer) => answer === 'allowed' || (answer === 'ended' && this.#runsByItself)
    const answer = await this.#until(ready)
    if (answer === 'ended' && this.#runsByItself)
      throw new Wrong(`It ended before it was ready.${this.#said()}`)
    if (answer !== 'allowed')
      throw new Wrong(
        `It was not ready within ${this.patience.within} s: it is once it has read up to heartbeats of the present, of each source on each partition.${this.#said()}`,
      )
  }

  async close(): Promise<void> {
    await this.consumer.stop()
    await this.feed.close()
  }

  /** Waits until it refuses the tokens of each, whenever they were issued up to the cutoff. @throws Wrong */
  async applied(revocations: readonly Revocation[], otherwise: string): Promise<void> {
    for (const { target, issuedBefore } of revocations) {
      const answer = await this.#until(each => each === 'revoked' || each === 'ended', target, issuedBefore)
      if (answer === 'ended') throw new Wrong(`It stopped. ${otherwise}${this.#said()}`)
      if (answer !== 'revoked') throw new Wrong(`${await this.#missing(revocations)}${otherwise}`)
    }
  }

  /** A token of the target that was issued then is allowed. @throws Wrong */
  async allows(target: Target, issuedAt: number, otherwise: string): Promise<void> {
    if ((await this.#until(answer => answer === 'allowed', target, issuedAt)) !== 'allowed')
      throw new Wrong(`${otherwise}${this.#said()}`)
  }

  /** Still serves those whom nothing was revoked of. @throws Wrong */
  async serves(otherwise: string): Promise<void> {
    const answer = await this.#until(each => each === 'allowed' || each === 'ended')
    if (answer === 'ended') throw new Wrong(`It stopped. ${otherwise}${this.#said()}`)
    if (answer !== 'allowed') throw new Wrong(`It refuses. ${otherwise}${this.#said()}`)
  }

  /** Waits until it has stopped, or refuses. @throws Wrong */
  async alarmed(seconds: number, otherwise: string): Promise<void> {
    if (!isAlarm(await this.#until(isAlarm, undefined, undefined, seconds))) throw new Wrong(otherwise)
  }

  /** Waits until it has stopped, or refuses and does not serve again by itself. @throws Wrong */
  async stopped(within: number, otherwise: string): Promise<void> {
    await this.alarmed(within, otherwise)
    const allows = (answer: Answer) => answer === 'allowed' || answer === 'ended'
    if ((await this.#until(allows, undefined, undefined, 2)) === 'allowed') throw new Wrong(otherwise)
  }

  /** Whether it runs no more. */
  async ended(): Promise<boolean> {
    return (await this.consumer.ask(this.#nobody, seconds())) === 'ended'
  }

  /** Asks until the answer is such, or the time is over. @returns the last answer */
  async #until(
    is: (answer: Answer) => boolean,
    target = this.#nobody,
    issuedAt: number | null = seconds(),
    within = this.patience.within,
  ): Promise<Answer> {
    for (const until = performance.now() + within * 1000; ; await delay(50)) {
      const answer = await this.consumer.ask(target, issuedAt ?? seconds())
      if (is(answer) || performance.now() > until) return answer
    }
  }

  async #missing(revocations: readonly Revocation[]): Promise<string> {
    const answers = await Promise.all(
      revocations.map(async ({ target, issuedBefore }) => ({
        partition: partitionOfTarget(target),
        held: (await this.consumer.ask(target, issuedBefore ?? seconds())) === 'revoked',
      })),
    )
    const held = answers.filter(answer => answer.held)
    const places = new Set(answers.filter(answer => !answer.held).map(({ partition }) => partition))
    return `It holds ${held.length} of ${revocations.length}; what is missing was on partition ${[...places].sort().join(', ')}. `
  }

  /** A program that we started and that has ended will never be ready. */
  get #runsByItself(): boolean {
    return this.consumer.start !== undefined
  }

  #said(): string {
    const words = this.consumer.lastWords()
    return words === '' ? '' : ` Its last words: “${words.slice(0, 300)}”`
  }
}

const isAlarm = (answer: Answer) => answer === 'ended' || answer === 'refuses'

export const seconds = () => Math.floor(Date.now() / 1000)
