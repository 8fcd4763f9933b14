import type pg from 'pg'
import type { Append, AppendOutcome } from './append.js'
import { AppendStatements, placed, type Stored } from './append-statement.js'
import type { Bars } from './bars.js'
import { ask, pipelined } from './connection.js'
import { OutcomeUnknown, Overloaded } from './errors.js'
import { registerEventTypes } from './event-types.js'
import { gathering } from './gathering.js'
import { KeptConnection } from './kept-connection.js'
import { Notices } from './notices.js'
import { assertNotRestored, RestoredLog } from './restored.js'
import { appendedChannel } from './tables.js'

/**
 * So many go in one batch before a second is sent beside it. What a batch costs whatever is in it is much beside an append: where this
 * process has work of its own meanwhile, so that neither side waits for the other, more of them share it.
 */
const crowd = { idle: 32, working: 128 }
const maxBatch = 256

/**
 * Concurrent appends of one process share one statement on one connection: one commit for all of them, and an own outcome for
 * each. In a crowd the next batch is sent while one is being stored, so that Postgres never waits for this process. A stream
 * appears once in a batch; the next append to it waits for the next batch.
 */
export class GroupCommit {
  #waiting: Waiting[] = []
  /** Two at most, in the order in which they were sent. */
  readonly #underWay: UnderWay[] = []
  #sending: Promise<void> | undefined
  readonly #connection: KeptConnection
  readonly #statements: AppendStatements
  readonly #notices = new Notices(kinds => {
    this.#telling = this.#tell(kinds)
  })
  #telling: Promise<void> | undefined
  readonly counts = { batches: 0, appends: 0, events: 0, refused: 0 }

  constructor(
    pool: pg.Pool,
    private readonly maxPending: number,
    bars: Bars | undefined,
    disconnected: () => void,
  ) {
    this.#statements = new AppendStatements(bars)
    this.#connection = new KeptConnection(pool, openLog, disconnected)
  }

  append(append: Append): Promise<AppendOutcome> {
    if (this.#waiting.length >= this.maxPending) {
      this.counts.refused += 1
      return Promise.reject(new Overloaded())
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ append, resolve, reject })
      // those whose states were read together come along
      this.#sending ??= gathering(() => this.#waiting.length).then(() => this.#send())
    })
  }

  /** How many appends wait for the database. */
  get pending(): number {
    return this.#waiting.length
  }

  async close(): Promise<void> {
    for (await this.#sending; this.#underWay.length > 0; )
      await Promise.race(this.#underWay.map(({ stored }) => stored))
    this.#notices.close()
    await this.#telling // it may be opening the connection
    this.#connection.close()
  }

  #send(): void {
    this.#sending = undefined
    while (this.#waiting.length > 0 && this.#mayGo()) {
      const batch = this.#nextBatch()
      const sent: UnderWay = {
        size: batch.length,
        stored: this.#commit(batch).finally(() => {
          this.#underWay.splice(this.#underWay.indexOf(sent), 1)
          this.#send()
        }),
      }
      this.#underWay.push(sent)
    }
  }

  /** A second batch is sent once as many wait as are in the first: smaller ones would cost more commits than they save time. */
  #mayGo(): boolean {
    const [first, second] = this.#underWay
    return (
      first === undefined ||
      (second === undefined && this.#waiting.length >= Math.max(this.#crowd() / 2, first.size))
    )
  }

  #crowd(): number {
    return this.#waiting.some(({ append }) => append.meanwhile) ? crowd.working : crowd.idle
  }

  #nextBatch(): Waiting[] {
    // half of more than a crowd: the other half goes while this one is stored
    const size = Math.min(maxBatch, Math.max(this.#crowd(), Math.ceil(this.#waiting.length / 2)))
    const streams = new Set<string>()
    const batch: Waiting[] = []
    const later: Waiting[] = []
    for (const waiting of this.#waiting) {
      if (batch.length < size && !streams.has(waiting.append.streamId)) {
        streams.add(waiting.append.streamId)
        batch.push(waiting)
      } else later.push(waiting)
    }
    this.#waiting = later
    // every process takes the stream rows in the same order: no deadlocks
    return batch.sort((a, b) => (a.append.streamId < b.append.streamId ? -1 : 1))
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#write(batch.map(waiting => waiting.append))
      for (const [index, waiting] of batch.entries()) waiting.resolve(outcomes[index] ?? 'conflict')
      this.#count(batch, outcomes)
    } catch (error) {
      // one append's bad row (a text that Postgres can not hold) must not fail the others
      if (isStatementError(error) && batch.length > 1)
        for (const waiting of batch) await this.#commit([waiting])
      else for (const waiting of batch) waiting.reject(isTold(error) ? error : new OutcomeUnknown(error))
    }
  }

  #count(batch: readonly Waiting[], outcomes: readonly AppendOutcome[]): void {
    this.counts.batches += 1
    for (const [index, { append }] of batch.entries()) {
      if (outcomes[index] === 'conflict') continue
      this.counts.appends += 1
      this.counts.events += append.events.length
    }
  }

  async #write(appends: readonly Append[]): Promise<AppendOutcome[]> {
    const client = await this.#connection.get()
    try {
      const query = this.#statements.query(appends, this.#notices.with(kindsOf(appends)))
      const written = ask<Stored>(client, query)
      meanwhile(appends)
      const { rows } = await written
      const last = lastNumbers(appends, rows[0])
      const refused = appends.filter(append => !last.has(append.streamId))
      if (refused.length > 0) await this.#recognise(client, refused, last)
      return appends.map(append => {
        const logSeq = last.get(append.streamId)
        return logSeq === undefined ? 'conflict' : { logSeq }
      })
    } catch (error) {
      if (!isStatementError(error) && this.#connection.is(client)) this.#connection.close()
      throw error
    }
  }

  async #tell(kinds: string): Promise<void> {
    try {
      await ask(await this.#connection.get(), { name: 'tell', text: tellStatement, values: [kinds] })
    } catch {
      // whoever listens looks for itself
    }
  }

  /** An append whose events are stored already, in their places, is a retry whose first answer was lost. */
  async #recognise(
    client: pg.PoolClient,
    refused: readonly Append[],
    last: Map<string, number>,
  ): Promise<void> {
    const events = refused.flatMap(placed)
    const { rows } = await client.query<{ event_id: string; log_seq: string }>({
      name: 'recognise',
      text: recogniseStatement,
      values: [
        events.map(event => event.id),
        events.map(event => event.streamId),
        events.map(event => event.version),
      ],
    })
    const known = new Map(rows.map(row => [row.event_id, Number(row.log_seq)]))
    for (const append of refused) {
      const numbers = append.events.map(event => known.get(event.id))
      const tail = numbers.at(-1)
      if (tail !== undefined && !numbers.includes(undefined)) last.set(append.streamId, tail)
    }
  }
}

/** A batch that the database has not answered yet. */
interface UnderWay {
  readonly size: number
  readonly stored: Promise<void>
}

interface Waiting {
  readonly append: Append
  resolve(outcome: AppendOutcome): void
  reject(error: unknown): void
}

/** What the appends’ callers want done while they wait. */
function meanwhile(appends: readonly Append[]): void {
  for (const append of appends)
    try {
      append.meanwhile?.()
    } catch {
      // it fails again where its result is wanted
    }
}

/** The number of the last event of each append that was stored: they are numbered as they come. */
function lastNumbers(appends: readonly Append[], stored: Stored | undefined): Map<string, number> {
  const last = new Map<string, number>()
  if (stored === undefined) return last
  const { before, claimed } = stored
  let number = Number(before)
  for (const { streamId, events } of appends) {
    if (claimed !== null && !claimed.includes(streamId)) continue
    number += events.length
    last.set(streamId, number)
  }
  return last
}

/**
 * Each connection, before its first event: what is there when it comes back may be a backup.
 * @throws RestoredLog; OutcomeUnknown when the database can not be asked: nothing was stored
 */
async function openLog(client: pg.PoolClient): Promise<void> {
  pipelined(client)
  try {
    await Promise.all([registerEventTypes(client), assertNotRestored(client)])
  } catch (error) {
    throw error instanceof RestoredLog ? error : new OutcomeUnknown(error)
  }
}

/** Says what became of the append: any other error leaves that open. */
function isTold(error: unknown): boolean {
  return isStatementError(error) || error instanceof RestoredLog || error instanceof OutcomeUnknown
}

/** Postgres answered with an error: nothing of the statement was stored. */
function isStatementError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(22|23|42)/.test(code)
}

const tellStatement = `select pg_notify('${appendedChannel}', $1)`

const recogniseStatement = `
  select e.event_id, e.log_seq from unnest($1::uuid[], $2::text[], $3::int[]) as w (event_id, stream_id, stream_version),
    lateral (
      select event_id, log_seq from events
      where stream_id = w.stream_id and stream_version = w.stream_version offset 0
    ) e
  where e.event_id = w.event_id`

/** What kinds of events they are, as `appendedChannel` has it. */
function kindsOf(appends: readonly Append[]): Set<string> {
  const kinds = new Set<string>()
  for (const { streamId, events } of appends) {
    const category = streamId.slice(0, streamId.indexOf('-'))
    for (const { type } of events) kinds.add(`${type}:${category}`)
  }
  return kinds
}
