import { topics } from '@grantlog/contracts'
import { applyTopics, type EventSink, KafkaSink } from '@grantlog/eventing'
import { type Figure, figure } from '../benchmark.js'
import type { Database, Ground } from './ground.js'
import { type Batch, fill, tokenService } from './log.js'
import { RawKafka } from './raw-kafka.js'
import { rounds, sideBySide, until } from './rounds.js'

const eventsPerRound = 10_000

/** How many events the log holds, and the topic, when they were published. */
export const published = eventsPerRound * rounds

/** From the log to Kafka. Leaves the log, and the topic, to those who read them. */
export async function measurePublishing(
  { brokers }: Ground,
  log: Database,
  told: (line: string) => void,
): Promise<Figure[]> {
  const options = { clientId: 'bench', brokers }
  await applyTopics(options)
  await applyTopics({ ...options, topicPrefix: 'raw.' })
  const raw = await RawKafka.connect(brokers, `raw.${topics.tokens.name}`)
  const kafka = new KafkaSink(options)
  await kafka.send([]) // connected before the clock runs, as the other is
  let sent: Batch[] = []
  const measured = await sideBySide(
    told,
    'store → Kafka, events/s',
    async () => {
      await fill(log, eventsPerRound)
      const watched = new WatchedSink(kafka)
      const service = tokenService(log.pool, watched)
      service.start()
      await until(() => watched.events >= eventsPerRound, 'Publishing')
      await service.stop()
      sent = watched.batches
      return watched.rate()
    },
    async () => {
      const began = performance.now()
      for (const batch of sent) await raw.send(batch)
      return (eventsPerRound * 1000) / (performance.now() - began)
    },
  )
  await Promise.all([raw.close(), kafka.close()])
  return [
    figure(
      'Store → Kafka',
      'events/s',
      { ...measured, peerName: 'kafkajs sendBatch of the same batches' },
      { atLeast: 0.5, valueAtLeast: 15_000 },
    ),
  ]
}

/** Keeps what it was handed, and when. */
class WatchedSink implements EventSink {
  readonly batches: Batch[] = []
  events = 0
  #began = 0
  #ended = 0

  constructor(private readonly sink: EventSink) {}

  async send(batch: Batch): Promise<void> {
    if (this.events === 0) this.#began = performance.now()
    await this.sink.send(batch)
    this.#ended = performance.now()
    this.batches.push(batch)
    this.events += batch.length
  }

  /** Events per second, from the first batch's sending to the last one's acknowledgement. */
  rate(): number {
    return (this.events * 1000) / (this.#ended - this.#began)
  }

  async close(): Promise<void> {
    this.#ended ||= this.#began // the connection stays for the next round
  }
}
