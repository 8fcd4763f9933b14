import type { Actor } from '@grantlog/contracts'
import type { Append, AppendOutcome, PreparedEvent } from './append.js'
import type { Barrable } from './bars.js'
import type { Decider, NewEvent } from './decider.js'
import { Contended, OutcomeUnknown } from './errors.js'
import type { EventStore } from './event-store.js'
import { Recent } from './recent.js'
import { stateTag, versionOfState } from './state-tag.js'
import { TransientMap } from './transient-map.js'

/** Who commands, when, and within which trace. */
export interface CommandContext {
  readonly actor: Actor
  readonly traceparent?: string | undefined
  /** What to do while the database stores what was decided; at each attempt. It is not known yet whether it will be. */
  readonly meanwhile?: () => void
  /** Nothing is stored while it is barred. */
  readonly unlessBarred?: Allowed
}

/** What is commanded only while nothing bars it: the append sees to that. */
export interface Allowed extends Barrable {
  /** Asked when an append was refused, for whatever reason, before the next one. @throws what the caller is told where there is a bar */
  assertAllowed(): Promise<void>
}

/** A stream as somebody has read it, or made its id. */
export interface Known<State> {
  readonly state: State
  readonly version: number
  /** It is as this process left it: another one may have gone on. */
  readonly remembered?: Left
}

/** How a process left a stream. */
interface Left {
  /** The version whose state is stored. */
  readonly stateOf: number
  /** How many appends of remembered streams the process had made by then. */
  readonly appends: number
}

/** The stream after a command: its state, its version, and what was appended (nothing, when nothing had to be). */
export interface Outcome<State, Event> {
  readonly streamId: string
  readonly state: State
  readonly version: number
  readonly events: readonly (Event & { readonly id: string })[]
}

const maxAttempts = 20
const maxRetriesOfUnknown = 5
/**
 * States of streams. More of them would come to lie among V8’s old objects, and collecting those takes longer than reading again what is
 * asked for later.
 */
const remembered = 128
/**
 * Of a stream that this process goes on with, from what it remembers and so soon that it will go on to, the state is stored with every eighth
 * version only: whoever else needs it folds the few events since.
 */
const storedEvery = 8

/**
 * Runs commands against streams: load, decide, append; again when another process was first. Within this process the commands
 * on one stream take turns: they would only make each other's work void.
 */
export class Commands {
  /** The last command under way per stream. */
  readonly #turns = new TransientMap<string, Promise<unknown>>()
  /** Of deciders that are `remembered`: the streams as this process appended to them last. */
  readonly #left = new Recent<Known<unknown>>(remembered)
  /** Of those streams. */
  #appends = 0

  constructor(
    readonly store: EventStore,
    private readonly now: () => Date,
  ) {
    // what is there when it comes back may be a backup
    store.onDisconnected(() => this.#left.forgetAll())
  }

  /**
   * @param known the stream as it was found since the request came: it is read again only if something has happened in it meanwhile
   * @throws whatever `decide` or `assertAllowed` throws (then nothing was stored), Overloaded, Contended, or OutcomeUnknown when the database
   * stays unreachable
   */
  run<Command, Event extends NewEvent, State>(
    decider: Decider<Command, Event, State>,
    id: string,
    command: Command,
    context: CommandContext,
    known?: Known<State>,
  ): Promise<Outcome<State, Event>> {
    const streamId = `${decider.category}-${id}`
    const before = this.#turns.get(streamId)
    const attempt = () => this.#attempt(decider, id, command, context, known)
    const outcome = before === undefined ? attempt() : before.then(attempt)
    const leave = () => {
      if (this.#turns.get(streamId) === turn) this.#turns.delete(streamId)
    }
    const turn = outcome.then(leave, leave) // of a failure its caller hears; the next one's turn comes all the same
    this.#turns.set(streamId, turn)
    return outcome
  }

  /**
   * State and version of a stream: the state that is stored, and what the events since make of it. One that another build's `evolve` folded
   * is folded anew from all events.
   */
  async load<Command, Event extends NewEvent, State>(
    decider: Decider<Command, Event, State>,
    id: string,
  ): Promise<Known<State>> {
    const streamId = `${decider.category}-${id}`
    const head = await this.store.head(streamId)
    if (head === undefined) return { state: decider.initial, version: 0 }
    const { version } = head
    const isKnown = versionOfState(decider, head.stateTag, version) > 0
    const facts = isKnown ? head.since : (await this.store.read(streamId, version)).map(({ fact }) => fact)
    const state = facts.reduce(
      (folded, fact) => decider.evolve(folded, fact as Event),
      isKnown ? (head.state as State) : decider.initial,
    )
    return { state, version }
  }

  /**
   * The stream as this process left it, if it remembers; else as `load`. Good enough to command on, for `run` finds out whether another
   * process has gone on since, and for what never changes.
   */
  recall<Command, Event extends NewEvent, State>(
    decider: Decider<Command, Event, State>,
    id: string,
  ): Promise<Known<State>> {
    const left = this.#left.get(`${decider.category}-${id}`)
    return left === undefined ? this.load(decider, id) : Promise.resolve(left as Known<State>)
  }

  async #attempt<Command, Event extends NewEvent, State>(
    decider: Decider<Command, Event, State>,
    id: string,
    command: Command,
    context: CommandContext,
    known: Known<State> | undefined,
  ): Promise<Outcome<State, Event>> {
    const streamId = `${decider.category}-${id}`
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (attempt > 0) await context.unlessBarred?.assertAllowed()
      // since it was recalled, a command before may have gone on
      const told = known?.remembered ? (this.#left.get(streamId) as Known<State> | undefined) : known
      const before = attempt === 0 && told ? told : await this.load(decider, id)
      const events = decider.decide(command, before.state)
      // what is remembered may be too old to say that nothing is to be done; an append would tell
      if (events.length === 0 && before.remembered) continue
      if (events.length === 0) return { streamId, ...before, events: [] }
      const state = events.reduce((folded, event) => decider.evolve(folded, event), before.state)
      const version = before.version + events.length
      const endsAt = decider.endsAt?.(state) ?? null
      // of a stream that has ended, the events may leave
      const stateOf = endsAt === null ? this.#stateOf(before, version) : version
      const prepared = this.store.prepare(events, { ...context, time: this.now() })
      const outcome = await this.#append({
        streamId,
        base: before.version,
        events: prepared,
        state,
        stateTag: stateOf === version ? stateTag(decider, version) : null,
        endsAt,
        deadline: decider.deadline?.at(state) ?? null,
        unlessBarred: context.unlessBarred,
        meanwhile: context.meanwhile,
      })
      if (outcome !== 'conflict') {
        if (decider.remembered) {
          this.#appends += 1
          this.#left.keep(streamId, { state, version, remembered: { stateOf, appends: this.#appends } })
        }
        return { streamId, state, version, events: identified(events, prepared) }
      }
      this.#left.forget(streamId)
      if (attempt === 0 && before === told) continue
      // another process was first: not all of the losers come back at once
      await pause(Math.random() * 2 ** Math.min(attempt, 6))
    }
    throw new Contended(streamId)
  }

  /** The version whose state is to be stored once a stream goes on from what was known of it to another version. */
  #stateOf({ remembered: left }: Known<unknown>, version: number): number {
    const soon = left !== undefined && this.#appends - left.appends < remembered
    return soon && version < left.stateOf + storedEvery ? left.stateOf : version
  }

  /** The answer may be lost while the append was stored: the same append again is recognised by its event ids. */
  async #append(append: Append): Promise<AppendOutcome> {
    for (let retry = 0; ; retry++) {
      try {
        return await this.store.append(append)
      } catch (error) {
        if (!(error instanceof OutcomeUnknown) || retry === maxRetriesOfUnknown) throw error
        await pause(50 * 2 ** retry)
      }
    }
  }
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

function identified<Event extends NewEvent>(events: readonly Event[], prepared: readonly PreparedEvent[]) {
  return events.map((event, index) => ({ ...event, id: prepared[index]?.id ?? '' }))
}
