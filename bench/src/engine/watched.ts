import type { Delivery, Subscriber, Transport } from '@grantlog/eventing'

/** A transport that tells when a delivery came, and when the read model had it: its transaction was committed. */
export class WatchedTransport implements Transport {
  events = 0
  deliveries = 0
  #began = 0
  #ended = 0

  /** @param applied hears of a delivery once its rows can be seen */
  constructor(
    private readonly transport: Transport,
    private readonly applied: (delivery: Delivery) => void = () => undefined,
  ) {}

  subscribe(subscriber: Subscriber) {
    const { name, topics, alive, progress } = subscriber
    return this.transport.subscribe({
      name,
      topics,
      begin: (topic, partition) => subscriber.begin(topic, partition),
      ...(alive && { alive: alive.bind(subscriber) }),
      ...(progress && { progress: progress.bind(subscriber) }),
      trouble: error => subscriber.trouble?.(error),
      deliver: async delivery => {
        this.#began ||= performance.now()
        await subscriber.deliver(delivery)
        this.#ended = performance.now()
        this.events += delivery.events.length
        this.deliveries += 1
        this.applied(delivery)
      },
    })
  }

  /** Events per second, from the first delivery's arrival to the last one's commit. */
  rate(): number {
    return (this.events * 1000) / (this.#ended - this.#began)
  }

  close(): Promise<void> {
    return this.transport.close()
  }
}
