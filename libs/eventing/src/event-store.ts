import {
  type Actor,
  assertFact,
  canonicalJson,
  definitionOf,
  readFact,
  timeOrderedId,
  wireType,
} from '@grantlog/contracts'
import type pg from 'pg'
import type { Append, AppendOutcome, PreparedEvent } from './append.js'
import type { Bars } from './bars.js'
import type { NewEvent } from './decider.js'
import { GroupCommit } from './group-commit.js'
import { type GroupedQuery, GroupRead } from './group-read.js'
import { versionInTag } from './state-tag.js'

/** An event as its own service reads it back: with what never leaves the service. */
export interface StoredEvent {
  readonly id: string
  readonly fact: NewEvent
  readonly streamVersion: number
  readonly time: Date
}

export interface AppendMeasures {
  readonly batches: number
  readonly appends: number
  readonly events: number
  readonly refused: number
  readonly pending: number
}

interface StreamHead {
  readonly version: number
  readonly state: unknown
  readonly stateTag: string
  /** The facts after the version that the state is of, as its tag says, in order. */
  readonly since: readonly NewEvent[]
}

/** The event table of one service. Everything that happened is here; everything else can be rebuilt from it. */
export class EventStore {
  readonly #commits: GroupCommit
  readonly #bars: Bars | undefined
  readonly #heads: GroupRead<HeadRow>
  readonly #disconnected = new Set<() => void>()

  constructor(
    readonly pool: pg.Pool,
    { maxPending = 10_000, bars }: { maxPending?: number; bars?: Bars | undefined } = {},
  ) {
    this.#bars = bars
    this.#heads = new GroupRead(pool, heads)
    this.#commits = new GroupCommit(pool, maxPending, bars, () => {
      for (const listener of this.#disconnected) listener()
    })
  }

  /** Checks the facts against the catalogue and gives each an id, its canonical bytes, its actor and its time. */
  prepare(
    events: readonly NewEvent[],
    context: { actor: Actor; traceparent?: string | undefined; time: Date },
  ): PreparedEvent[] {
    return events.map(event => {
      assertFact(event)
      return {
        id: event.id ?? timeOrderedId(),
        type: wireType(definitionOf(event.type)),
        data: canonicalJson(event.data),
        internal: event.internal === undefined ? null : canonicalJson(event.internal),
        actor: context.actor,
        traceparent: context.traceparent ?? null,
        time: context.time,
      }
    })
  }

  /**
   * Appends durably. Concurrent appends of this process share a transaction; each keeps its own outcome. The same append
   * again (same event ids) is recognised and answers as the first time.
   * @throws Overloaded when too many appends wait already; RestoredLog; OutcomeUnknown; TypeError for one that can be barred, where the
   * store has no bars
   */
  append(append: Append): Promise<AppendOutcome> {
    if (append.unlessBarred && this.#bars === undefined)
      return Promise.reject(new TypeError('The append can be barred, but the store was given no bars'))
    return this.#commits.append(append)
  }

  /**
   * Version of a stream, the folded state that is stored and what has happened since; undefined when nothing has happened in it. Concurrent
   * looks share a query.
   */
  async head(streamId: string): Promise<StreamHead | undefined> {
    const [row] = await this.#heads.find(streamId)
    if (row === undefined) return undefined
    const { version, state, state_tag, since } = row
    return { version, state, stateTag: state_tag, since: since?.map(factOf) ?? [] }
  }

  /** All events of a stream in order, up to a version. */
  async read(streamId: string, upTo = 2 ** 31 - 1): Promise<StoredEvent[]> {
    const { rows } = await this.pool.query<StoredRow>({
      name: 'stream-events',
      text: `select event_id, type, data, internal, stream_version, time from events
             where stream_id = $1 and stream_version <= $2 order by stream_version`,
      values: [streamId, upTo],
    })
    return rows.map(stored)
  }

  /** What this process has appended since it started, in how many commits, and how many appends it refused or has waiting. */
  measures(): AppendMeasures {
    return { ...this.#commits.counts, pending: this.#commits.pending }
  }

  /** Calls back when the connection that it appends on has ended. */
  onDisconnected(listener: () => void): void {
    this.#disconnected.add(listener)
  }

  /** Waits for the appends under way and lets the writer's connection go. */
  async close(): Promise<void> {
    await this.#commits.close()
  }
}

interface HeadRow {
  stream_id: string
  version: number
  state: unknown
  state_tag: string
  since: StoredFact[] | null
}

const heads: GroupedQuery<HeadRow> = {
  name: 'stream-heads',
  text: `
    select stream_id, version, state, state_tag,
      case when ${versionInTag} < s.version then (
        select json_agg(json_build_object('type', type, 'data', data, 'internal', internal) order by stream_version) from events e
        where e.stream_id = s.stream_id and e.stream_version <= s.version
          and e.stream_version > ${versionInTag}
      ) end as since
    from streams s where stream_id = any($1::text[])`,
  keysOf: row => [row.stream_id],
}

interface StoredFact {
  type: string
  data: object
  internal: object | null
}

interface StoredRow extends StoredFact {
  event_id: string
  stream_version: number
  time: Date
}

function stored(row: StoredRow): StoredEvent {
  return { id: row.event_id, fact: factOf(row), streamVersion: row.stream_version, time: row.time }
}

/** The fact of a stored row. @throws Error for one that this build does not know */
export function factOf(row: StoredFact): NewEvent {
  const fact = readFact(row.type, row.data as Record<string, unknown>)
  if (fact === undefined)
    throw new Error(`The log holds ${row.type}, which this build does not know: it is older than the log`)
  return { ...fact, ...(row.internal === null ? {} : { internal: row.internal }) }
}
