import type { Feed } from './feed.js'
import type { Stage } from './stage.js'

/** One thing that may happen on the feed. */
export interface Case<F extends Feed> {
  readonly name: string
  /** Of “Rules” in docs/how-to/consume-revocations.md; 0: of “What arrives” there. */
  readonly rule: number
  /** Whoever does right runs no more afterwards, or refuses: the next case needs another consumer. */
  readonly ends?: true
  /** Needs a consumer that feed-check itself starts. */
  readonly restarts?: true
  /** @throws Wrong */
  run(stage: Stage<F>): Promise<void>
}
