import type { Service } from '@grantlog/contracts'
import type { EventStore } from './event-store.js'
import { KeptConnection } from './kept-connection.js'
import type { Locks } from './locks.js'
import { Loop } from './loop.js'
import { type EventSink, Publisher } from './publisher.js'
import { type Sequenced, sequence } from './sequencer.js'
import { appendedChannel } from './tables.js'

const lookMilliseconds = 100
// Each numbering is a commit of its own: what is appended meanwhile shares the next, under load all the more of it.
const restMilliseconds = 3
const crowd = 12
const restInACrowdMilliseconds = 20
const standbyMilliseconds = 500
const segmentsMilliseconds = 10_000
const unsequencedAlarmMilliseconds = 10_000

export interface LogMeasures {
  /** The last number. */
  readonly numbered: number
  /** The last number that was published; undefined where others read the log itself, or nothing was published yet. */
  readonly published: number | undefined
  /** Everything that was committed longer ago has a number. */
  readonly unnumberedSeconds: number
}

/** Numbers and publishes the log of a service; one instance at a time does it, the others stand by. */
export class LogOwner {
  readonly #numbering: Loop
  readonly #publishing: Loop
  readonly #publisher: Publisher | undefined
  readonly #sequenced = new Set<() => void>()
  readonly #connection: KeptConnection
  /** Everything committed before `time` has a number, and the last is `lastSeq`. */
  #complete: { time: Date; lastSeq: number } | undefined
  /** Everything committed before `time` has a number when all transactions below `next` have ended. */
  #moment: { time: Date; next: bigint } | undefined
  #ownedSince: Date | undefined
  #lastSeq = 0
  /** When to see next that a segment is there for the events to come. */
  #segmentsDue = 0
  /** Since the numbering last began. */
  #appended = false
  #trouble: unknown

  constructor(
    store: EventStore,
    private readonly locks: Locks,
    private readonly options: {
      service: Service
      sink?: EventSink | undefined
      report: (error: unknown) => void
      now: () => Date
    },
  ) {
    this.#connection = new KeptConnection(store.pool, client => {
      client.on('notification', () => this.#wake())
      return client.query(`listen ${appendedChannel}`)
    })
    this.#publisher = options.sink && new Publisher(store.pool, options.service, options.sink)
    this.#numbering = new Loop(
      () => this.#number(),
      error => this.#failed(error),
    )
    this.#publishing = new Loop(
      () => this.#publish(),
      error => {
        this.#publisher?.reset()
        return this.#failed(error)
      },
    )
    store.onAppended(() => {
      this.#wake()
      return locks.holds('log')
    })
  }

  start(): void {
    this.#numbering.start()
    if (this.#publisher) this.#publishing.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#numbering.stop(), this.#publishing.stop()])
    await this.#publisher?.settled().catch(() => undefined) // what was acknowledged is sent again, then
    this.#connection.close()
    await this.options.sink?.close()
  }

  /** Calls back in this process when events got numbers. */
  onSequenced(listener: () => void): void {
    this.#sequenced.add(listener)
  }

  /** What keeps events from being numbered or published. The service goes on: they are stored, and nothing is lost. */
  health(): { ok: boolean; detail: string } {
    if (!this.locks.holds('log')) return { ok: true, detail: 'another instance owns the log' }
    if (this.#trouble !== undefined) return { ok: false, detail: String(this.#trouble) }
    const now = this.options.now()
    const age = now.getTime() - (this.#complete?.time ?? this.#ownedSince ?? now).getTime()
    if (age > unsequencedAlarmMilliseconds)
      return { ok: false, detail: `events wait ${age} ms for a number: look for a transaction left open` }
    return { ok: true, detail: `numbered up to ${this.#complete?.lastSeq ?? 0}` }
  }

  /** Undefined where another instance owns the log. Times in seconds. */
  measures(): LogMeasures | undefined {
    if (!this.locks.holds('log') || this.#ownedSince === undefined) return undefined
    const complete = this.#complete?.time ?? this.#ownedSince
    return {
      numbered: this.#lastSeq,
      published: this.#publisher?.cursor,
      unnumberedSeconds: Math.max(0, this.options.now().getTime() - complete.getTime()) / 1000,
    }
  }

  #wake(): void {
    this.#appended = true
    this.#numbering.wake()
  }

  async #number(): Promise<number> {
    if (!(await this.locks.hold('log'))) {
      this.#complete = undefined
      this.#moment = undefined
      this.#ownedSince = undefined
      return standbyMilliseconds
    }
    const client = await this.#connection.get()
    const time = this.options.now()
    this.#ownedSince ??= time
    if (time.getTime() >= this.#segmentsDue) {
      await client.query('select add_segments()')
      this.#segmentsDue = time.getTime() + segmentsMilliseconds
    }
    const appended = this.#appended
    this.#appended = false
    const sequenced = await sequence(client, appended)
    const { numbered, pending } = sequenced
    this.#lastSeq = sequenced.lastSeq
    this.#noteComplete(time, sequenced)
    if (numbered > 0) {
      for (const listener of this.#sequenced) listener()
      this.#publishing.wake()
      await pause(numbered < crowd ? restMilliseconds : restInACrowdMilliseconds)
      return 0
    }
    if (this.#publisher === undefined) this.#trouble = undefined
    return pending ? 2 : lookMilliseconds
  }

  /** Under load there may never be a moment with nothing left to number: then one is noted and waited for. */
  #noteComplete(time: Date, { pending, lastSeq, below, next }: Sequenced): void {
    if (!pending) this.#complete = { time, lastSeq }
    else if (this.#moment === undefined) this.#moment = { time, next }
    else if (this.#moment.next <= below) {
      this.#complete = { time: this.#moment.time, lastSeq }
      this.#moment = undefined
    }
  }

  async #publish(): Promise<number> {
    if (!this.#publisher || !this.locks.holds('log')) {
      this.#publisher?.reset()
      return standbyMilliseconds
    }
    const complete = this.#complete // of before: the numbering goes on meanwhile
    const more = await this.#publisher.publish()
    if (complete) await this.#publisher.beat(complete, this.options.now())
    this.#trouble = undefined
    return more ? 0 : lookMilliseconds
  }

  #failed(error: unknown): number {
    this.#trouble = error
    this.options.report(error)
    return 500
  }
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))
