import { definitionOf, type Envelope, type Service, streamOf, type Topic } from '@grantlog/contracts'
import type { NewEvent } from '../decider.js'
import { EventStore } from '../event-store.js'
import { Locks } from '../locks.js'
import { readLog } from '../log.js'
import { LogOwner } from '../log-owner.js'
import type { EventSink } from '../publisher.js'
import type { DeliveredEvent, Delivery, Position, Subscriber } from '../transport/transport.js'
import { aLog, type LogDatabase, operator } from './a-log.js'

/** The clients service as far as events go: it appends, and its log is published. */
export interface Source {
  readonly log: LogDatabase
  readonly owner: LogOwner
  /** Appends each fact to its stream, one after the other. */
  append(...facts: readonly NewEvent[]): Promise<void>
  /** Everything that was appended, as it goes on the wire. */
  events(): Promise<Envelope[]>
  stop(): Promise<void>
}

export async function aSource(sink?: EventSink): Promise<Source> {
  const log = await aLog('source')
  const pool = log.another()
  const [store, locks] = [new EventStore(pool), new Locks(pool)]
  const owner = new LogOwner(pool, locks, {
    service: 'clients',
    sink,
    report: () => undefined,
    now: () => new Date(),
  })
  owner.start()
  const versions = new Map<string, number>()
  return {
    log,
    owner,
    async append(...facts) {
      for (const fact of facts) {
        const streamId = streamOf(definitionOf(fact.type), fact.data)
        const base = versions.get(streamId) ?? 0
        versions.set(streamId, base + 1)
        const events = store.prepare([fact], { actor: operator, time: new Date() })
        await store.append({ streamId, base, events, state: {}, stateTag: 'spec' })
      }
    },
    events() {
      return readLog(log.pool, 'clients', 0, 100_000)
    },
    async stop() {
      await owner.stop()
      locks.close()
      await store.close()
      await log.drop()
    },
  }
}

/** A consumer that keeps what it was handed, and where it would go on. */
export class Reader implements Subscriber {
  readonly name = 'reader'
  readonly delivered: Delivery[] = []
  readonly positions = new Map<string, Position>()
  readonly heard: Date[] = []
  readonly troubles: unknown[] = []

  /** @param before what happens first, for each delivery: a rejection refuses it */
  constructor(
    readonly topics: readonly Topic[],
    readonly begin: Subscriber['begin'] = () => ({ lastSeq: {}, nextOffset: null }),
    private readonly before: (delivery: Delivery) => Promise<void> = async () => undefined,
  ) {}

  async deliver(delivery: Delivery): Promise<void> {
    await this.before(delivery)
    this.delivered.push(delivery)
    const { topic, partition, nextOffset, events } = delivery
    const lastSeq = { clients: events.at(-1)?.event.logseq ?? 0 }
    this.positions.set(`${topic}:${partition}`, { lastSeq, nextOffset })
  }

  alive(_source: Service, time: Date): void {
    this.heard.push(time)
  }

  trouble(error: unknown): void {
    this.troubles.push(error)
  }

  /** What was delivered, each event once, in the order of the log. */
  events(): Envelope[] {
    const all = this.delivered.flatMap(({ events }) =>
      events.map(({ event }) => [event.logseq, event] as const),
    )
    return [...new Map(all)].sort(([a], [b]) => a - b).map(([, event]) => event)
  }

  /** What was delivered to each partition, in the order in which it was. */
  partitions(): Map<string, DeliveredEvent[]> {
    const partitions = new Map<string, DeliveredEvent[]>()
    for (const { topic, partition, events } of this.delivered) {
      const place = `${topic}:${partition}`
      partitions.set(place, [...(partitions.get(place) ?? []), ...events])
    }
    return partitions
  }
}
