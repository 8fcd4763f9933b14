import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { definitionOf, type EventType } from '@grantlog/contracts'
import type pg from 'pg'
import { loadPositions, registerProjection } from './checkpoint.js'
import { ChainBroken } from './errors.js'
import { type Backlog, type Feeds, subscribeTo } from './feeds.js'
import { GroupApply } from './group-apply.js'
import type { Locks } from './locks.js'
import { Loop } from './loop.js'
import { partitionOf } from './partition.js'
import type { Projection } from './projection.js'
import { retryParked, skipParked } from './read-model.js'
import { rebuild } from './rebuild.js'
import { compareWithReplay, type Progress } from './replay.js'
import { TakenRequest } from './requests.js'
import type { Delivery, Position, Subscription } from './transport/transport.js'

export interface ProjectionStatus {
  readonly name: string
  readonly security: boolean
  readonly owner: boolean
  /** Whether it ever held everything that there was: before that, what it answers must not be trusted. */
  readonly caughtUp: boolean
  /** What waits to be applied, by place, in the transport's own count; nothing is known where another instance keeps it. */
  readonly waiting: ReadonlyMap<string, number>
  /** How old the last applied event is while others wait behind it, in seconds; 0 when nothing waits. */
  readonly lagSeconds: number
  /** What this instance has applied since it started. */
  readonly applied: { readonly batches: number; readonly events: number }
  /** Why it does not go on; undefined when it does. */
  readonly trouble: string | undefined
}

/** What a command appended to a stream of this service. */
export interface Appended {
  readonly streamId: string
  readonly events: readonly { readonly id: string; readonly type: EventType }[]
}

/** Keeps one read model up to date. Of all instances one applies it; each batch is one transaction. */
export class ProjectionRunner {
  readonly #loop: Loop
  readonly #group: GroupApply
  #positions = new Map<string, Position>()
  #subscription: (Subscription & { readonly backlog: Backlog }) | undefined
  /** What keeps a partition from going on, by `topic:partition`. */
  readonly #troubles = new Map<string, unknown>()
  /** Partitions that are read again from their beginning, since an event was missing where the reader stood. */
  readonly #reread = new Set<string>()
  #working: Promise<void> | undefined
  /** Ends what was asked for, when the lock is lost or the process stops: another instance begins with it again. */
  #quit = new AbortController()
  readonly #applied = { batches: 0, events: 0 }
  #lastEvent: Date | undefined
  readonly #teller = randomUUID()
  #caughtUp = false
  /** What the database says of it, if that is certain. */
  #saved: { caughtUp: boolean; waiting: number; trouble: string | null } | undefined

  constructor(
    readonly projection: Projection,
    private readonly options: Feeds & {
      pool: pg.Pool
      locks: Locks
      report: (error: unknown) => void
    },
  ) {
    this.#group = new GroupApply(options.pool, projection)
    this.#loop = new Loop(
      () => this.#own(),
      error => {
        options.report(error)
        return 1000
      },
    )
  }

  start(): void {
    this.#loop.start()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    await this.#release()
  }

  status(): ProjectionStatus {
    const { name, security } = this.projection
    const [trouble] = this.#troubles.values()
    const waiting: ReadonlyMap<string, number> = this.#subscription?.backlog.waiting ?? new Map()
    const behind = [...waiting.values()].some(count => count > 0) && this.#lastEvent !== undefined
    return {
      name,
      security,
      owner: this.#subscription !== undefined,
      caughtUp: this.#caughtUp,
      waiting,
      lagSeconds: behind ? Math.max(0, Date.now() - Number(this.#lastEvent)) / 1000 : 0,
      applied: { ...this.#applied },
      trouble: trouble === undefined ? undefined : String(trouble),
    }
  }

  /**
   * Waits until the read model holds those of the appended events that concern it.
   * @returns false when it did not within the time
   */
  async applied({ streamId, events }: Appended, milliseconds = 2000): Promise<boolean> {
    const last = events.findLast(event => event.type in this.projection.on)
    if (last === undefined) return true
    const { topic } = definitionOf(last.type)
    const partition = partitionOf(topic, streamId)
    const values = [last.id, this.projection.name, topic, partition, this.options.service, streamId]
    for (const until = Date.now() + milliseconds; Date.now() < until; ) {
      const { rowCount } = await this.options.pool.query({ name: 'applied', text: appliedQuery, values })
      if (rowCount === 1) return true
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return false
  }

  async #own(): Promise<number> {
    const lock = `projection ${this.projection.name}`
    if (this.#subscription && !this.options.locks.holds(lock)) await this.#release()
    if (!(await this.options.locks.hold(lock))) {
      await this.#readState()
      return 500
    }
    if (this.#subscription === undefined) await this.#subscribe()
    await this.#saveState()
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
    return this.#caughtUp ? 1000 : 50
  }

  async #subscribe(): Promise<void> {
    const { pool } = this.options
    await registerProjection(pool, this.projection, this.#teller)
    await this.#readState()
    this.#positions = await loadPositions(pool, this.projection.name)
    this.#subscription = await subscribeTo(this.projection, this.options, {
      begin: (topic, partition) => {
        const place = `${topic}:${partition}`
        const { lastSeq, nextOffset } = this.#positions.get(place) ?? beginning
        return { lastSeq, nextOffset: this.#reread.has(place) ? null : nextOffset }
      },
      deliver: delivery => this.#apply(delivery),
      trouble: error => this.#unreachable(error),
    })
  }

  async #release(): Promise<void> {
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#quit.abort()
    await subscription?.stop()
    await this.#working
    this.#quit = new AbortController()
    this.#troubles.clear()
    this.#reread.clear()
  }

  async #apply(delivery: Delivery): Promise<void> {
    const place = `${delivery.topic}:${delivery.partition}`
    const positions = this.#positions // those of this subscription: a batch of one before may end late
    try {
      positions.set(place, await this.#group.apply(delivery))
      this.#troubles.delete(place)
      this.#reread.delete(place)
      this.#applied.batches += 1
      this.#applied.events += delivery.events.length
      const last = delivery.events.at(-1)
      if (last) this.#lastEvent = new Date(last.event.time)
    } catch (error) {
      // the topic may have been made anew: then the events stand elsewhere in it
      if (error instanceof ChainBroken) this.#reread.add(place)
      // nothing is missing where all of it was applied by another delivery: it would not come again, to say so
      const { lastSeq } = positions.get(place) ?? beginning
      const isMissing = delivery.events.some(({ event }) => event.logseq > (lastSeq[event.source] ?? 0))
      if (positions === this.#positions && isMissing) this.#troubles.set(place, error)
      throw error
    }
  }

  /** Events that do not arrive leave the read model as it is, and right; events that are missing do not. */
  #unreachable(error: unknown): void {
    if (error instanceof ChainBroken) {
      const place = `${error.place.topic}:${error.place.partition}`
      this.#reread.add(place)
      this.#troubles.set(place, error)
    }
    this.options.report(error)
  }

  async #readState(): Promise<void> {
    const { rows } = await this.options.pool.query<{ caught_up: boolean }>({
      name: 'projection-state',
      text: 'select caught_up from projections where name = $1',
      values: [this.projection.name],
    })
    this.#caughtUp = rows[0]?.caught_up ?? false
    this.#saved = undefined
  }

  /** What the other instances and the operator's program read. */
  async #saveState(): Promise<void> {
    const status = this.status()
    const now = {
      caughtUp:
        status.caughtUp || (this.#subscription?.backlog.caughtUp === true && status.trouble === undefined),
      waiting: [...status.waiting.values()].reduce((sum, count) => sum + count, 0),
      trouble: status.trouble ?? null,
    }
    this.#caughtUp = now.caughtUp
    if (isDeepStrictEqual(now, this.#saved)) return
    this.#saved = undefined // what a statement did whose answer is lost is not known
    const { pool } = this.options
    const { rowCount } = await pool.query(
      'update projections set caught_up = $2, waiting = $3, trouble = $4 where name = $1 and told_by = $5',
      [this.projection.name, now.caughtUp, now.waiting, now.trouble, this.#teller],
    )
    // one that kept it before has woken up and made itself the teller; it will find out that it lost the lock
    if (rowCount === 0) await registerProjection(pool, this.projection, this.#teller)
    else this.#saved = now
  }

  /** Does what was asked of the read model, while events go on being applied. */
  async #work(): Promise<void> {
    const { pool, report } = this.options
    const request = await TakenRequest.next(pool, this.projection.name).catch(report)
    if (!request) return
    const { signal } = this.#quit
    try {
      await this.#do(request, signal)
    } catch (error) {
      if (signal.aborted) return
      report(error)
      await request.done(false, error instanceof Error ? error.message : String(error)).catch(report)
    }
  }

  async #do(request: TakenRequest, signal: AbortSignal): Promise<void> {
    const { projection } = this
    const { pool } = this.options
    const told = (stage: string) => throttled((progress: Progress) => request.tell({ stage, ...progress }))
    switch (request.action) {
      case 'rebuild': {
        const stages = { fill: told('fill'), verify: told('verify') }
        const rows = await rebuild(pool, projection, this.options, {
          told: (stage, progress) => stages[stage](progress),
          stillAsked: client => request.isOurs(client),
          signal,
        })
        return request.done(true, `${rows} rows: rebuilt, and equal to a pure replay`)
      }
      case 'compare': {
        const found = await compareWithReplay(pool, projection, this.options, {
          told: told('compare'),
          signal,
        })
        const parked = found.parked > 0 ? `; ${found.parked} keys are parked and were not compared` : ''
        if (found.differing.length === 0)
          return request.done(true, `${found.rows} rows are what a pure replay says${parked}`)
        const some = found.differing.slice(0, 10).join(', ')
        throw new Error(
          `${found.differing.length} of ${found.rows} rows differ from a pure replay: ${some}${parked}`,
        )
      }
      case 'retry':
      case 'skip': {
        const again = request.action === 'retry' ? retryParked : skipParked
        // in one transaction: a skip that was done but not said to be would leave out the next event too
        return again(pool, projection, request.key ?? '', (client, { applied, error }) =>
          error === undefined
            ? request.done(true, `${applied} events were applied; the key is up to date`, client)
            : request.done(
                false,
                `${applied} events were applied; the next one still can not be: ${error}`,
                client,
              ),
        )
      }
    }
  }
}

const beginning: Position = { lastSeq: {}, nextOffset: null }

/** Tells at most twice a second, one at a time; what can not be told is not missed. */
function throttled<T>(tell: (value: T) => Promise<void>): (value: T) => Promise<void> {
  let busy = false
  let last = 0
  return async value => {
    if (busy || Date.now() - last < 500) return
    busy = true
    last = Date.now()
    await tell(value).catch(() => undefined)
    busy = false
  }
}

const appliedQuery = `
  select from checkpoints c
  where c.projection = $2 and c.topic = $3 and c.partition = $4
    and (c.positions ->> $5)::bigint >= (select log_seq from events where stream_id = $6 and event_id = $1)`
