import type { Chance } from './chance.js'

/**
 * What became of an operation, as its caller knows it. `failed`: refused by the protocol, or never sent. `unknown`: the
 * connection was cut, there was no answer in time, or the answer is a 5xx; it may have been done, or be done later.
 */
export type Outcome = 'ok' | 'failed' | 'unknown'

export type Operation =
  | 'register'
  | 'update'
  | 'suspend'
  | 'reinstate'
  | 'delete'
  | 'credentials'
  | 'approve'
  | 'redeem'
  | 'refresh'
  | 'revoke'
  | 'revoke-grant'

/** One call, from its beginning to its end. */
export interface Invocation {
  /** The trace id it was sent with: the events that it caused carry it. */
  readonly trace: string
  readonly operation: Operation
  /** Whom it was sent to. */
  readonly instance: string
  /** Milliseconds since the run began. */
  readonly began: number
  readonly ended: number
  readonly outcome: Outcome
  /** The HTTP status, or what went wrong instead of an answer. */
  readonly answer: string
  /** What was asked for, and for an `ok` what was answered: ids, markers and hashes, no secret. */
  readonly facts: Readonly<Record<string, string>>
}

/** What a call answered. */
export interface Answer {
  readonly status: number
  readonly facts?: Readonly<Record<string, string>>
}

const answerMilliseconds = 4000

/** Records every call of a run. */
export class History {
  readonly invocations: Invocation[] = []
  readonly #began = performance.now()

  /** Milliseconds since the run began. */
  get now(): number {
    return Math.round(performance.now() - this.#began)
  }

  /** Makes a call and records what became of it. Never throws. */
  async invoke(
    chance: Chance,
    about: Pick<Invocation, 'operation' | 'instance' | 'facts'>,
    call: (request: { headers: Record<string, string>; signal: AbortSignal }) => Promise<Answer>,
  ): Promise<Invocation> {
    const [trace, began] = [chance.hex(32), this.now]
    const request = {
      headers: { traceparent: `00-${trace}-${chance.hex(16)}-01` },
      signal: AbortSignal.timeout(answerMilliseconds),
    }
    const [outcome, answer, facts] = await call(request).then(
      ({ status, facts }) => [outcomeOf(status), String(status), facts ?? {}] as const,
      (error: unknown) => [wasNeverSent(error) ? 'failed' : 'unknown', causeOf(error), {}] as const,
    )
    const invocation = {
      ...about,
      trace,
      began,
      ended: this.now,
      outcome,
      answer,
      facts: { ...about.facts, ...(outcome === 'ok' && facts) },
    }
    this.invocations.push(invocation)
    return invocation
  }

  count(outcome: Outcome): number {
    return this.invocations.filter(invocation => invocation.outcome === outcome).length
  }
}

/** 503 is unknown too: the services say it both of what was never tried and of what may have been stored. */
function outcomeOf(status: number): Outcome {
  if (status < 400) return 'ok'
  return status < 500 ? 'failed' : 'unknown'
}

function wasNeverSent(error: unknown): boolean {
  return causeOf(error) === 'ECONNREFUSED'
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause : error
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
