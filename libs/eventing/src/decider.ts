import type { Fact } from '@grantlog/contracts'

/**
 * A fact on its way into the log. `id` only where another fact of the same append names it as its cause (else the store
 * draws one); `internal` never leaves the service.
 */
export type NewEvent = Fact & { readonly id?: string; readonly internal?: object }

/**
 * A pure decision. No clock, random number or promise inside: they arrive in the command. `decide` throws only when nothing
 * happened; a refusal that must be remembered is an event. State must be plain JSON: it is stored beside the stream.
 */
export interface Decider<Command, Event extends NewEvent, State> {
  /** Prefix of the stream ids: `family` for `family-<id>`. */
  readonly category: string
  readonly initial: State
  decide(command: Command, state: State): readonly Event[]
  evolve(state: State, event: Event): State
  /**
   * Seconds since 1970 from which on no command can have an effect: 0 when that is so already, null while nobody knows when. An
   * ended stream leaves the database with the segments of the log that hold it; without this method it never does.
   */
  endsAt?(state: State): number | null
  /** Its streams go on again and again: each process remembers those that it appended to last (`recall`). Then `decide` throws nothing. */
  readonly remembered?: boolean
  /** What time itself brings, such as an expiry: the service sees to it, within a minute. */
  readonly deadline?: Deadline<Command, State>
}

/** The category of a stream: what its id begins with, up to the first `-`. */
export function categoryOf(streamId: string): string {
  const at = streamId.indexOf('-')
  return at === -1 ? streamId : streamId.slice(0, at)
}

/** A decider for whatever commands, events and states. */
export type AnyDecider = Decider<unknown, NewEvent, unknown>

export interface Deadline<Command, State> {
  /** Seconds since 1970; null when time brings nothing. It may move: what is found then decides. */
  at(state: State): number | null
  /** What is commanded once it has passed. Without an effect, the stream is looked at again when `at` says. @param now seconds */
  command(id: string, now: number): Command
}
