import { type Service, type Topic, topics } from '@grantlog/contracts'
import { concerns, type Projection, topicsOf } from './projection.js'
import type { Subscriber, Subscription, Transport } from './transport/transport.js'

/** Where a service's projections get their events from. */
export interface Feeds {
  readonly service: Service | undefined
  /** The service's own log. */
  readonly local: Transport | undefined
  /** The other services' events. */
  readonly remote: Transport
}

/** Subscribes to everything that a projection reads: the service's own log, and what others publish. */
export async function subscribeTo(
  projection: Projection,
  { service, local, remote }: Feeds,
  subscriber: Omit<Subscriber, 'name' | 'topics' | 'concerned' | 'progress'>,
): Promise<Subscription & { readonly backlog: Backlog }> {
  const all = topicsOf(projection)
  const written = (topic: Topic, own: boolean) =>
    topics[topic].writers.some(writer => (writer === service) === own)
  const wanted = [
    { transport: local, topics: all.filter(topic => written(topic, true)) },
    { transport: remote, topics: all.filter(topic => written(topic, false)) },
  ]
  const backlog = new Backlog()
  const subscriptions: Subscription[] = []
  const concerned: Subscriber['concerned'] = (type, category) => concerns(projection, type, category)
  const progress = (place: string, read: number, end: number) => backlog.note(place, read, end)
  for (const { transport, topics } of wanted) {
    if (transport === undefined || topics.length === 0) continue
    const subscription = await transport.subscribe({
      ...subscriber,
      name: projection.name,
      topics,
      concerned,
      progress,
    })
    backlog.expect(subscription.places)
    subscriptions.push(subscription)
  }
  return {
    backlog,
    places: subscriptions.flatMap(({ places }) => places),
    stop: async () => void (await Promise.all(subscriptions.map(subscription => subscription.stop()))),
  }
}

/** How far a subscription is behind. Counts are the transports' own: numbers of a log, offsets of a topic's partition. */
export class Backlog {
  readonly #places = new Map<string, { read: number; end: number; first: number; goal: number }>()
  readonly #expected = new Set<string>()

  /** Everything that was there when it began has been delivered. */
  get caughtUp(): boolean {
    const at = (place: string) => this.#places.get(place) ?? { read: 0, goal: 1 }
    return [...this.#expected].map(at).every(({ read, goal }) => read >= goal)
  }

  /** What waits now, by place. */
  get waiting(): ReadonlyMap<string, number> {
    return new Map([...this.#places].map(([place, { read, end }]) => [place, Math.max(0, end - read)]))
  }

  /** What was read of what there was to read when it began. */
  get done(): { read: number; of: number } {
    const places = [...this.#places.values()]
    const sum = (count: (place: { read: number; first: number; goal: number }) => number) =>
      places.reduce((total, place) => total + count(place), 0)
    return {
      read: sum(({ read, first, goal }) => Math.min(read, goal) - first),
      of: sum(({ first, goal }) => goal - first),
    }
  }

  expect(places: readonly string[]): void {
    for (const place of places) this.#expected.add(place)
  }

  note(place: string, read: number, end: number): void {
    const { first, goal } = this.#places.get(place) ?? { first: read, goal: end }
    this.#places.set(place, { read, end, first, goal })
  }
}
