import type { Envelope, EventType, Service, Topic } from '@grantlog/contracts'

/** An event as a transport hands it over, with the link to the one before it. */
export interface DeliveredEvent {
  readonly event: Envelope
  /** The `logseq` of the event that the same source published before this one to this partition; 0 for the first. */
  readonly previous: number
}

/** Events of one partition in order; several sources may write to it. */
export interface Delivery {
  readonly topic: Topic
  readonly partition: number
  readonly events: readonly DeliveredEvent[]
  /** Where the transport would go on after them, if it counts otherwise than by `logseq`. */
  readonly nextOffset: string | null
}

/** Where a consumer stands in a partition. */
export interface Position {
  /** The last `logseq` applied, per source. */
  readonly lastSeq: Readonly<Partial<Record<Service, number>>>
  readonly nextOffset: string | null
}

export interface Subscriber {
  readonly name: string
  readonly topics: readonly Topic[]
  /**
   * Where to begin in a partition: after a position (older than true is safe), or at a time. Begun at a time, the `previous` of
   * a source's first event says nothing.
   */
  begin(topic: Topic, partition: number): Position | { readonly at: Date }
  /**
   * Whether anything depends on an event of its topics, by its type and the category of its stream; left out: on all. One on which
   * nothing does need not come at once: it may wait for the next that does, or a quarter of a second.
   */
  concerned?(type: EventType, category: string): boolean
  /**
   * Called for one batch of a partition at a time. A rejection brings the events again, after a pause, from `begin`; if begun at
   * a time, from where it was rejected.
   */
  deliver(delivery: Delivery): Promise<void>
  /** The source had said everything it knew at `time`, and it was delivered. */
  alive?(source: Service, time: Date): void
  /**
   * How far it has read of a source's log, or of a topic's partition, and how much there was at the last look: both in the
   * transport's own count. Told for each place before the first delivery, and after each batch.
   */
  progress?(place: string, read: number, end: number): void
  /** Something went wrong that the transport goes on to mend. */
  trouble?(error: unknown): void
}

export interface Subscription {
  /** The places of which `progress` is told. */
  readonly places: readonly string[]
  /** Returns when nothing is being delivered any more. */
  stop(): Promise<void>
}

/** Brings the events of other services. At least once, in order per partition; a gap is always an error. */
export interface Transport {
  subscribe(subscriber: Subscriber): Promise<Subscription>
  close(): Promise<void>
}
