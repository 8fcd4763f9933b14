import { timeOrderedId } from '@grantlog/contracts'
import { EmbeddedTransport, Eventing, type EventSink, EventStore } from '@grantlog/eventing'
import type pg from 'pg'
import type { Database } from './ground.js'
import { actor, family, issued, now } from './workload.js'

const eventsPerStream = 10

/** What a sink is handed: the batches that go to Kafka. */
export type Batch = Parameters<EventSink['send']>[0]

/** A token service as far as events go: its log is published if there is a sink. */
export function tokenService(pool: pg.Pool, sink?: EventSink): Eventing {
  return new Eventing({
    pool,
    service: 'token',
    projections: [],
    remote: new EmbeddedTransport({}),
    sink,
    report: error => process.stderr.write(`  ${String(error)}\n`),
    now,
  })
}

/** Appends so many events, ten to a stream. */
export async function fill({ pool }: Database, events: number): Promise<void> {
  const store = new EventStore(pool)
  let left = events / eventsPerStream
  const writer = async () => {
    while (left-- > 0) {
      const familyId = timeOrderedId()
      const facts = Array.from({ length: eventsPerStream }, () => issued(familyId))
      await store.append({
        streamId: `family-${familyId}`,
        base: 0,
        events: store.prepare(facts, { actor, time: now() }),
        state: family.initial,
        stateTag: 'bench',
      })
    }
  }
  await Promise.all(Array.from({ length: 64 }, writer))
  await store.close()
}
