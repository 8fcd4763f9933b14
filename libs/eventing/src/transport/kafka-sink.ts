import kafkajs, { type Producer } from 'kafkajs'
import type { EventSink, OutgoingMessage } from '../publisher.js'
import { client, type KafkaOptions, nameOf, retry } from './kafka-client.js'

/** Sends batches, all replicas acknowledging, one in flight: with more, this client loses or reorders what it was told is safe. */
export class KafkaSink implements EventSink {
  #producer: Producer | undefined

  constructor(private readonly options: KafkaOptions) {}

  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    const producer = this.#producer ?? (await this.#connect())
    const byTopic = Map.groupBy(messages, message => message.topic)
    try {
      await producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, outgoing]) => ({
          topic: nameOf(this.options, topic),
          messages: outgoing.map(({ partition, key, value, previous, time }) => ({
            partition,
            key,
            value,
            timestamp: String(time.getTime()),
            headers: { 'content-type': 'application/cloudevents+json', previous: String(previous) },
          })),
        })),
      })
    } catch (error) {
      await this.close() // a producer that met a deleted topic is poisoned for good
      throw error
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.disconnect()
  }

  async #connect(): Promise<Producer> {
    const producer = client({ ...this.options }).producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // bounded, so that a send comes back to us; ours is the loop that tries again
      retry: { ...retry, retries: 5 },
    })
    await producer.connect()
    this.#producer = producer
    return producer
  }
}
