import type pg from 'pg'
import type { Append, AppendOutcome } from './append.js'
import { binaryArray } from './binary-array.js'
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
  readonly #notices = new Notices(kinds => {
    this.#telling = this.#tell(kinds)
  })
  #telling: Promise<void> | undefined
  readonly counts = { batches: 0, appends: 0, events: 0, refused: 0 }

  constructor(
    pool: pg.Pool,
    private readonly maxPending: number,
    disconnected: () => void,
  ) {
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
      const written = ask<WrittenRow>(client, {
        ...statementFor(appends),
        values: [...parameters(appends), this.#notices.with(kindsOf(appends))],
      })
      meanwhile(appends)
      const { rows } = await written
      const last = lastNumbers(rows)
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

interface WrittenRow {
  stream_id: string
  log_seq: string
}

/** The number of each stream's last event. */
function lastNumbers(rows: readonly WrittenRow[]): Map<string, number> {
  const last = new Map<string, number>()
  for (const { stream_id, log_seq } of rows)
    last.set(stream_id, Math.max(Number(log_seq), last.get(stream_id) ?? 0))
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

/**
 * How a batch claims the rows of its streams: of those that begin, and of those that go on. Any that has another version stays as it is. A
 * plan that is made while there are few streams is kept while they grow: an equality could be planned as a reading of all of them.
 */
const claims = {
  begun: `
    insert into streams (stream_id, base, version, state, state_tag, ends_at, deadline)
    select stream_id, base, version, state, state_tag, ends_at, deadline from wanted where base = 0
    on conflict do nothing
    returning stream_id`,
  continued: `
    update streams s
    set base = w.base, version = w.version, state = w.state, state_tag = w.state_tag, ends_at = w.ends_at,
      deadline = case when w.deadline is not null then least(s.deadline, w.deadline) end
    from wanted w where s.stream_id = any (array[w.stream_id]) and s.version = w.base
    returning s.stream_id`,
}

// The arrays are unnested side by side in a list: in `from` each would first be written to a table of its own. The rows of the streams are
// claimed before a number is drawn for any event; where all were, nobody looks which. The events are numbered in the order in which they
// come. From the update of `log_end` to the end of the commit no other append draws a number: so all that is seen is what was committed
// before, without a gap. Each step of a statement costs its start at each batch: so it has those that it needs, and sorts nothing.
const appendStatement = (...kinds: readonly (keyof typeof claims)[]) => ({
  name: `append-${kinds.join('-')}`,
  text: `
  with wanted as (
    select unnest($1::text[]) as stream_id, unnest($2::int[]) as base, unnest($3::int[]) as version, unnest($4::json[]) as state,
      unnest($5::text[]) as state_tag, unnest($6::bigint[]) as ends_at, unnest($7::bigint[]) as deadline
  ), ${kinds.map(kind => `${kind} as (${claims[kind]}\n  )`).join(', ')}, claimed as (
    ${kinds.map(kind => `select stream_id from ${kind}`).join(' union all ')}
  ), fresh as (
    select e.*, row_number() over () as place
    from (
      select unnest($8::text[]) as stream_id, unnest($9::int[]) as stream_version, unnest($10::uuid[]) as event_id,
        unnest($11::text[]) as type, unnest($12::json[]) as data, unnest($13::json[]) as internal, unnest($14::text[]) as actor_type,
        unnest($15::text[]) as actor_id, unnest($16::text[]) as traceparent, unnest($17::timestamptz[]) as time
    ) e
    where (select count(*) from claimed) = cardinality($1::text[]) or e.stream_id in (select stream_id from claimed)
  ), counted as (
    select count(*) as events, case when $18::text is not null then pg_notify('${appendedChannel}', $18) end from fresh
  ), numbered as (
    update log_end l set last_seq = l.last_seq + c.events, xid = pg_current_xact_id() from counted c where c.events > 0
    returning l.last_seq - c.events as before
  )
  insert into events (log_seq, stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id, traceparent, time)
  select n.before + f.place, f.stream_id, f.stream_version, f.event_id, f.type, f.data, f.internal,
         f.actor_type, f.actor_id, f.traceparent, f.time
  from fresh f cross join numbered n
  returning stream_id, log_seq`,
})

const appendStatements = {
  begun: appendStatement('begun'),
  continued: appendStatement('continued'),
  both: appendStatement('begun', 'continued'),
}

function statementFor(appends: readonly Append[]) {
  const begun = appends.filter(({ base }) => base === 0).length
  return appendStatements[begun === 0 ? 'continued' : begun === appends.length ? 'begun' : 'both']
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

/** The events of an append, each with its place. */
function placed({ streamId, base, events }: Append) {
  return events.map((event, index) => ({ ...event, streamId, version: base + index + 1 }))
}

function parameters(appends: readonly Append[]): unknown[] {
  const events = appends.flatMap(placed)
  const { text, json, int4, int8, uuid, timestamptz } = binaryArray
  return [
    text(appends.map(append => append.streamId)),
    int4(appends.map(append => append.base)),
    int4(appends.map(append => append.base + append.events.length)),
    json(appends.map(append => JSON.stringify(append.state))),
    text(appends.map(append => append.stateTag)),
    int8(appends.map(append => append.endsAt ?? null)),
    int8(appends.map(append => append.deadline ?? null)),
    text(events.map(event => event.streamId)),
    int4(events.map(event => event.version)),
    uuid(events.map(event => event.id)),
    text(events.map(event => event.type)),
    json(events.map(event => event.data)),
    json(events.map(event => event.internal)),
    text(events.map(event => event.actor.type)),
    text(events.map(event => event.actor.id)),
    text(events.map(event => event.traceparent)),
    timestamptz(events.map(event => event.time)),
  ]
}
