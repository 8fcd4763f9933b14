import type { Service } from '@grantlog/contracts'
import type { Commands } from './commands.js'
import { type AnyDecider, categoryOf } from './decider.js'
import type { Locks } from './locks.js'
import { Loop } from './loop.js'

const lookMilliseconds = 2000
const batch = 200
/** Between two batches of many: the requests go first. */
const restMilliseconds = 50
/** What could not be done is tried again after so long. */
const retrySeconds = 60

/**
 * Commands what time brings to streams (ADR 0018). One instance at a time does it, for the sake of the others; that it happens once
 * is the stream’s version to see to.
 */
export class Deadlines {
  readonly #deciders: ReadonlyMap<string, AnyDecider>
  #loop: Loop | undefined

  constructor(
    deciders: readonly AnyDecider[],
    private readonly commands: Commands,
    private readonly options: { service: Service; report: (error: unknown) => void; now: () => Date },
  ) {
    this.#deciders = new Map(
      deciders.filter(({ deadline }) => deadline).map(decider => [decider.category, decider]),
    )
  }

  start(locks: Locks): void {
    if (this.#deciders.size === 0) return
    this.#loop = new Loop(
      async () => {
        if (!(await locks.hold('deadlines'))) return lookMilliseconds
        return (await this.meet()) < batch ? lookMilliseconds : restMilliseconds
      },
      error => {
        this.options.report(error)
        return lookMilliseconds
      },
    )
    this.#loop.start()
  }

  async stop(): Promise<void> {
    await this.#loop?.stop()
  }

  /** Looks at the streams whose deadline has passed, the oldest first. @returns how many, at most 200 */
  async meet(): Promise<number> {
    const now = Math.floor(this.options.now().getTime() / 1000)
    const { rows } = await this.commands.store.pool.query<{ stream_id: string }>({
      name: 'deadlines',
      text: 'select stream_id from streams where deadline <= $1 order by deadline limit $2',
      values: [now, batch],
    })
    const looked = await Promise.all(rows.map(({ stream_id }) => this.#look(stream_id, now)))
    const later = looked.filter(each => each !== undefined)
    if (later.length > 0) await this.#setLater(later)
    return rows.length
  }

  /** @returns when to look again, unless what was appended says so */
  async #look(streamId: string, now: number): Promise<Later | undefined> {
    const category = categoryOf(streamId)
    const id = streamId.slice(category.length + 1)
    const decider = this.#deciders.get(category)
    const later = { streamId, version: null, deadline: now + retrySeconds }
    if (decider?.deadline === undefined) return later // another build's
    try {
      const command = decider.deadline.command(id, now)
      const actor = { type: 'system', id: this.options.service } as const
      const { events, state, version } = await this.commands.run(decider, id, command, { actor })
      if (events.length > 0) return undefined
      const deadline = decider.deadline.at(state)
      return { streamId, version, deadline: deadline && Math.max(deadline, now + 1) }
    } catch (error) {
      this.options.report(error)
      return later // the others' turn comes all the same
    }
  }

  /** Not where something has been appended since: that append knew the deadline. */
  async #setLater(later: readonly Later[]): Promise<void> {
    await this.commands.store.pool.query({
      name: 'later-deadlines',
      text: `
        update streams s set deadline = l.deadline
        from unnest($1::text[], $2::int[], $3::bigint[]) as l (stream_id, version, deadline)
        where s.stream_id = l.stream_id and s.version = coalesce(l.version, s.version)`,
      values: [
        later.map(({ streamId }) => streamId),
        later.map(({ version }) => version),
        later.map(({ deadline }) => deadline),
      ],
    })
  }
}

interface Later {
  readonly streamId: string
  /** The version that was seen; null: whichever. */
  readonly version: number | null
  readonly deadline: number | null
}
