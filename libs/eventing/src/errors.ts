/** Too much work waits already: try again in a while. Nothing was stored. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded'
  constructor(readonly retryAfterSeconds = 1) {
    super('Too many appends are waiting for the database')
  }
}

/** The answer of the database was lost: the append may or may not have been stored. The same append again will tell. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
  constructor(cause: unknown) {
    super('The connection broke before the database answered', { cause })
  }
}

/** Others were faster every time. Nothing was stored. */
export class Contended extends Error {
  override readonly name = 'Contended'
  constructor(streamId: string) {
    super(`The stream ${streamId} changed under every attempt`)
  }
}

/** An event is missing between the last one applied and the one delivered: reading on would hide a loss. */
export class ChainBroken extends Error {
  override readonly name = 'ChainBroken'
  constructor(
    readonly place: { source: string; topic: string; partition: number },
    readonly expected: number,
    readonly found: { previous: number; logSeq: number },
  ) {
    super(
      `${place.source} → ${place.topic}[${place.partition}]: event ${found.logSeq} follows ${found.previous}, ` +
        `but the last one seen is ${expected}: events between them are missing`,
    )
  }
}

/** What is asked for is in files: the database holds the log from a later number on. */
export class EventsDetached extends Error {
  override readonly name = 'EventsDetached'
  constructor(source: string, upTo: number) {
    super(
      `The events of ${source} up to ${upTo} are detached to files: grantlog segments attach brings them back, to be read again`,
    )
  }
}

/** A projection's handler threw: trying again would not help. */
export class HandlerFailed extends Error {
  override readonly name = 'HandlerFailed'
  constructor(event: { source: string; logSeq: number; type: string }, cause: unknown) {
    super(`${event.source} ${event.logSeq} ${event.type}: ${cause}`, { cause })
  }
}
