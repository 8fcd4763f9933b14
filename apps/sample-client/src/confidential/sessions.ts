import type { Asked } from '../flow/authorization-client.js'
import type { Connection } from '../flow/connection.js'

/** What the server remembers of one browser. */
export interface Session {
  /** Awaits its answer; one use. */
  asked?: Asked | undefined
  connection?: Connection | undefined
}

export interface SessionLimits {
  readonly count: number
  readonly idleSeconds: number
}

/** Sessions in memory, by an id that only its browser has. The longest unused one gives way to a new one. */
export class Sessions {
  readonly #entries = new Map<string, { session: Session; usedAt: number }>()

  constructor(
    private readonly clock: { seconds(): number },
    private readonly limits: SessionLimits = { count: 1000, idleSeconds: 3600 },
  ) {}

  find(id: string): Session | undefined {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    if (!entry || this.clock.seconds() - entry.usedAt >= this.limits.idleSeconds) return undefined
    return this.keep(id, entry.session)
  }

  keep(id: string, session: Session): Session {
    this.#entries.delete(id)
    this.#entries.set(id, { session, usedAt: this.clock.seconds() })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.limits.count && oldest !== undefined) this.#entries.delete(oldest)
    return session
  }

  forget(id: string): void {
    this.#entries.delete(id)
  }
}
