import type { Service } from '@grantlog/contracts'
import type pg from 'pg'
import type { Bars } from './bars.js'
import { Commands } from './commands.js'
import { Deadlines } from './deadlines.js'
import type { AnyDecider } from './decider.js'
import { type AppendMeasures, EventStore } from './event-store.js'
import { ReadModelWatch } from './kept-rows.js'
import { Locks } from './locks.js'
import { type LogMeasures, LogOwner } from './log-owner.js'
import type { Projection } from './projection.js'
import { type Appended, ProjectionRunner, type ProjectionStatus } from './projection-runner.js'
import type { EventSink } from './publisher.js'
import { EmbeddedTransport } from './transport/embedded.js'
import type { Subscriber, Subscription, Transport } from './transport/transport.js'

export interface EventingOptions {
  readonly pool: pg.Pool
  /** The service whose log this is; undefined for one that only reads. */
  readonly service: Service | undefined
  readonly projections: readonly Projection[]
  /** What decides about its streams, where time brings something. */
  readonly deciders?: readonly AnyDecider[]
  /** What keeps appends from being stored that say that it may. */
  readonly bars?: Bars | undefined
  /** Brings the other services' events. */
  readonly remote: Transport
  /** Where this service's events are published; undefined when others read the log itself. */
  readonly sink?: EventSink | undefined
  readonly report: (error: unknown) => void
  readonly now: () => Date
}

export interface Measures {
  readonly appends: AppendMeasures
  /** undefined where the service has no log, or another instance owns it */
  readonly log: LogMeasures | undefined
  readonly projections: readonly (ProjectionStatus & { readonly parkedKeys: number })[]
}

/** All of a service that has to do with events: its store, the numbering and publishing of its log, its read models. */
export class Eventing {
  readonly store: EventStore
  readonly commands: Commands
  readonly remote: Transport
  readonly #locks: Locks
  readonly #owner: LogOwner | undefined
  readonly #deadlines: Deadlines | undefined
  readonly #local: EmbeddedTransport | undefined
  readonly #runners: ProjectionRunner[]
  readonly #watch: ReadModelWatch | undefined

  constructor(options: EventingOptions) {
    const { pool, service, report, now, sink, remote } = options
    this.store = new EventStore(pool, { bars: options.bars })
    this.commands = new Commands(this.store, now)
    this.remote = remote
    this.#locks = new Locks(pool)
    this.#local = service && new EmbeddedTransport({ [service]: pool })
    this.#owner = service && new LogOwner(pool, this.#locks, { service, sink, report, now })
    this.#deadlines =
      service && new Deadlines(options.deciders ?? [], this.commands, { service, report, now })
    this.#watch = options.projections.some(({ keptInMemory }) => keptInMemory)
      ? new ReadModelWatch(pool, report)
      : undefined
    this.#runners = options.projections.map(
      projection =>
        new ProjectionRunner(projection, {
          pool,
          locks: this.#locks,
          service,
          local: this.#local,
          remote,
          report,
        }),
    )
  }

  start(): void {
    this.#watch?.start()
    this.#owner?.start()
    this.#deadlines?.start(this.#locks)
    for (const runner of this.#runners) runner.start()
  }

  async stop(): Promise<void> {
    await this.#deadlines?.stop()
    await Promise.all(this.#runners.map(runner => runner.stop()))
    await this.#watch?.stop()
    await this.#owner?.stop()
    await this.#local?.close()
    await this.remote.close()
    await this.store.close()
    this.#locks.close()
  }

  /** Not ok when a security projection does not go on, or never held everything: what it decides must not be trusted. */
  health(): { ok: boolean; detail: string } {
    const stuck = this.status().flatMap(({ name, security, caughtUp, trouble }) =>
      security && (trouble !== undefined || !caughtUp)
        ? [`${name}: ${trouble ?? 'has not caught up with the log yet'}`]
        : [],
    )
    return { ok: stuck.length === 0, detail: stuck.join('; ') || 'up to date' }
  }

  /** Not ok when the log can not be published: others learn late what happens here. */
  logHealth(): { ok: boolean; detail: string } {
    return this.#owner?.health() ?? { ok: true, detail: 'no log' }
  }

  status() {
    return this.#runners.map(runner => runner.status())
  }

  /** What a service measures of its events. */
  async measures(): Promise<Measures> {
    const { rows } = await this.store.pool.query<{ projection: string; keys: number }>({
      name: 'parked-keys',
      text: 'select projection, count(distinct key)::int as keys from parked group by projection',
    })
    const parked = new Map(rows.map(({ projection, keys }) => [projection, keys]))
    return {
      appends: this.store.measures(),
      log: await this.#owner?.measures(),
      projections: this.status().map(status => ({ ...status, parkedKeys: parked.get(status.name) ?? 0 })),
    }
  }

  /** Follows topics without a checkpoint, as a resource server follows the revocations: this service's own and the others'. */
  async follow(subscriber: Subscriber): Promise<Subscription> {
    const subscriptions = await Promise.all([
      this.remote.subscribe(subscriber),
      this.#local?.subscribe(subscriber),
    ])
    return {
      places: subscriptions.flatMap(subscription => subscription?.places ?? []),
      stop: async () => void (await Promise.all(subscriptions.map(subscription => subscription?.stop()))),
    }
  }

  /** Waits until a read model holds what a command has just appended. @returns false when it took too long */
  async applied(projection: { name: string }, appended: Appended): Promise<boolean> {
    const runner = this.#runners.find(candidate => candidate.projection.name === projection.name)
    if (runner === undefined) throw new RangeError(`This service runs no projection ${projection.name}`)
    return runner.applied(appended)
  }
}
