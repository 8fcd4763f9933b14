import type { Actor } from '@grantlog/contracts'
import type { Barrable } from './bars.js'

/** One append: all of its events are stored, or none. */
export interface Append {
  readonly streamId: string
  /** The stream's version that the decision was made on; 0 for a stream that does not exist yet. */
  readonly base: number
  readonly events: readonly PreparedEvent[]
  /** The state after the events, and its tag. Without a tag the state that is stored stays, and its tag: those of an earlier version. */
  readonly state: unknown
  readonly stateTag: string | null
  /** Seconds since 1970: from then on no command can have an effect on the stream. Null, or left out, while nobody knows when. */
  readonly endsAt?: number | null
  /** Seconds since 1970: when to see what time has brought. Null, or left out, when it brings nothing. */
  readonly deadline?: number | null
  /** It is refused, as if somebody else had been first, where the store’s bars, as they are when it is stored, have one for it. */
  readonly unlessBarred?: Barrable | undefined
  /** What this process does while the database stores it. */
  readonly meanwhile?: (() => void) | undefined
}

/** An event with its id: the id makes a retried append recognisable. */
export interface PreparedEvent {
  readonly id: string
  readonly type: string
  readonly data: string
  readonly internal: string | null
  readonly actor: Actor
  readonly traceparent: string | null
  readonly time: Date
}

/** What became of an append: the number of its last event in the log, or that somebody else was first. */
export type AppendOutcome = { readonly logSeq: number } | 'conflict'
