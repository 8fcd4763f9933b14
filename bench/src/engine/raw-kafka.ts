import kafkajs, { type Producer } from 'kafkajs'
import type { Batch } from './log.js'

/** The client itself, without Grantlog: what a batch costs at least. */
export class RawKafka {
  private constructor(
    private readonly producer: Producer,
    private readonly topic: string,
  ) {}

  static async connect(brokers: readonly string[], topic: string): Promise<RawKafka> {
    const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING })
    const producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    return new RawKafka(producer, topic)
  }

  /** Sends a batch, all replicas acknowledging. */
  async send(batch: Batch): Promise<void> {
    const messages = batch.map(({ partition, key, value, previous }) => ({
      partition,
      key,
      value,
      headers: { 'content-type': 'application/cloudevents+json', previous: String(previous) },
    }))
    await this.producer.sendBatch({ acks: -1, topicMessages: [{ topic: this.topic, messages }] })
  }

  close(): Promise<void> {
    return this.producer.disconnect()
  }
}
