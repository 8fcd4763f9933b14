import type { Service } from '@grantlog/contracts'
import type pg from 'pg'
import { KeptConnection } from './kept-connection.js'
import type { Locks } from './locks.js'
import { lastSeqOf } from './log.js'
import { Loop } from './loop.js'
import { type EventSink, Publisher } from './publisher.js'
import { assertNotRestored } from './restored.js'
import { appendedChannel } from './tables.js'

const lookMilliseconds = 250
const standbyMilliseconds = 500
const segmentsMilliseconds = 10_000

export interface LogMeasures {
  /** The last number. */
  readonly numbered: number
  /** The last number that was published; undefined where others read the log itself, or nothing was published yet. */
  readonly published: number | undefined
}

/** Publishes the log of a service, and sees that it has room; one instance at a time does it, the others stand by. */
export class LogOwner {
  readonly #owning: Loop
  readonly #publishing: Loop
  readonly #publisher: Publisher | undefined
  /** Hears of what is appended, by whichever instance. */
  readonly #connection: KeptConnection
  /** When to see next that a segment is there for the events to come. */
  #segmentsDue = 0
  /** Whether the log was found to be one that may be published. */
  #owns = false
  #trouble: unknown

  constructor(
    private readonly pool: pg.Pool,
    private readonly locks: Locks,
    private readonly options: {
      service: Service
      sink?: EventSink | undefined
      report: (error: unknown) => void
      now: () => Date
    },
  ) {
    this.#connection = new KeptConnection(pool, client => {
      client.on('notification', () => this.#publishing.wake())
      return client.query(`listen ${appendedChannel}`)
    })
    this.#publisher = options.sink && new Publisher(pool, options.service, options.sink)
    this.#owning = new Loop(
      () => this.#own(),
      error => this.#failed(error),
    )
    this.#publishing = new Loop(
      () => this.#publish(),
      error => {
        this.#publisher?.reset()
        return this.#failed(error)
      },
    )
  }

  start(): void {
    this.#owning.start()
    if (this.#publisher) this.#publishing.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#owning.stop(), this.#publishing.stop()])
    await this.#publisher?.settled().catch(() => undefined) // what was acknowledged is sent again, then
    this.#connection.close()
    await this.options.sink?.close()
  }

  /** What keeps events from being published. The service goes on: they are stored, and nothing is lost. */
  health(): { ok: boolean; detail: string } {
    if (!this.locks.holds('log')) return { ok: true, detail: 'another instance owns the log' }
    if (this.#trouble !== undefined) return { ok: false, detail: String(this.#trouble) }
    const published = this.#publisher?.cursor
    return { ok: true, detail: published === undefined ? 'owns the log' : `published up to ${published}` }
  }

  /** Undefined where another instance owns the log. */
  async measures(): Promise<LogMeasures | undefined> {
    if (!this.locks.holds('log')) return undefined
    return { numbered: await lastSeqOf(this.pool), published: this.#publisher?.cursor }
  }

  async #own(): Promise<number> {
    if (!(await this.locks.hold('log'))) {
      this.#owns = false
      return standbyMilliseconds
    }
    if (!this.#owns) await assertNotRestored(this.pool)
    this.#owns = true
    const now = this.options.now().getTime()
    if (now >= this.#segmentsDue) {
      await this.pool.query('select add_segments()')
      this.#segmentsDue = now + segmentsMilliseconds
    }
    if (this.#publisher === undefined) this.#trouble = undefined
    return standbyMilliseconds
  }

  async #publish(): Promise<number> {
    if (!this.#publisher || !this.#owns || !this.locks.holds('log')) {
      this.#publisher?.reset()
      return lookMilliseconds
    }
    await this.#connection.get()
    const more = await this.#publisher.publish()
    await this.#publisher.beat(this.options.now())
    this.#trouble = undefined
    return more ? 0 : lookMilliseconds
  }

  #failed(error: unknown): number {
    this.#trouble = error
    this.options.report(error)
    return 500
  }
}
