import type { Case } from './case.js'
import type { Consumer } from './consumer.js'
import type { Feed } from './feed.js'
import { type Patience, Stage, Wrong } from './stage.js'

export interface Result {
  readonly name: string
  readonly rule: number
  readonly outcome: 'passed' | 'failed' | 'left out'
  /** What the consumer did wrong, or why it was not tried. */
  readonly because?: string
}

export interface Checked<F extends Feed> {
  readonly cases: readonly Case<F>[]
  readonly feed: () => F
  readonly consumer: () => Consumer
  readonly patience: Patience
}

/**
 * Tries every case. What a consumer survives is tried on one, one after the other; whatever ends it is tried on one of its own, beside.
 * Where somebody else starts the consumer there is only one: of what ends it, the first can be tried.
 */
export async function check<F extends Feed>(checked: Checked<F>): Promise<Result[]> {
  const survived = checked.cases.filter(({ ends }) => !ends)
  const ending = checked.cases.filter(({ ends }) => ends)
  const groups = startsItself(checked) ? [survived, ...ending.map(each => [each])] : [checked.cases]
  return (await Promise.all(groups.map(cases => new Group(checked).results(cases)))).flat()
}

const startsItself = <F extends Feed>({ consumer }: Checked<F>) => consumer().start !== undefined

/** Cases on one consumer, as long as it lives. */
class Group<F extends Feed> {
  #stage: Stage<F> | undefined
  /** Why no more can be tried. */
  #over: string | undefined

  constructor(private readonly checked: Checked<F>) {}

  async results(cases: readonly Case<F>[]): Promise<Result[]> {
    const results: Result[] = []
    try {
      for (const each of cases) results.push({ name: each.name, rule: each.rule, ...(await this.#try(each)) })
    } finally {
      await this.#stage?.close()
    }
    return results
  }

  async #try(each: Case<F>): Promise<Pick<Result, 'outcome' | 'because'>> {
    const itself = startsItself(this.checked)
    if (each.restarts && !itself) return { outcome: 'left out', because: 'Only a command can be restarted.' }
    if (this.#over !== undefined) return { outcome: 'left out', because: this.#over }
    try {
      await each.run(await this.#living())
      return { outcome: 'passed' }
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      return { outcome: 'failed', because: error.message }
    } finally {
      if (each.ends && !itself) this.#over = 'The consumer was ended by the case before: it needs a new one.'
    }
  }

  /** The consumer of the case before, or a new one where that has ended. */
  async #living(): Promise<Stage<F>> {
    if (this.#stage !== undefined && !(await this.#stage.ended())) return this.#stage
    await this.#stage?.close()
    this.#stage = undefined
    const stage = new Stage(this.checked.feed(), this.checked.consumer(), this.checked.patience)
    this.#stage = stage
    this.#over = 'No consumer became ready.'
    await stage.open()
    this.#over = undefined
    return stage
  }
}
