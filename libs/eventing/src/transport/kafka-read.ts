import { randomUUID } from 'node:crypto'
import type { Topic } from '@grantlog/contracts'
import { groupOf } from './kafka-access.js'
import { client, type KafkaOptions, nameOf, retry } from './kafka-client.js'
import { withAdmin } from './kafka-topics.js'

/** A record as it lies in a topic. */
export interface TopicRecord {
  readonly partition: number
  readonly offset: string
  readonly value: string
  /** The header `previous`; NaN where it is missing. */
  readonly previous: number
}

/**
 * Reads a topic once, from its first record to the one that is last now, each partition in order.
 * @param batch called for one batch of a partition at a time; what it throws ends the reading, and is thrown
 */
export async function readTopic(
  options: KafkaOptions,
  topic: Topic,
  batch: (records: readonly TopicRecord[]) => Promise<void>,
): Promise<void> {
  const name = nameOf(options, topic)
  const { begin, left } = await extentOf(options, name)
  if (left.size === 0) return
  const consumer = client(options, 6).consumer({
    groupId: `${groupOf(options.topicPrefix, options.clientId)}.read.${randomUUID()}`,
    retry: { ...retry, retries: 6, restartOnFailure: async () => false },
    maxWaitTimeInMs: 100,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of begin) consumer.seek({ topic: name, partition, offset: String(offset) })
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [name], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch: fetched, resolveOffset, heartbeat }) => {
        try {
          const next = begin.get(fetched.partition) ?? 0
          // what was fetched before a seek comes again after it
          const fresh = fetched.messages.filter(({ offset }) => Number(offset) >= next)
          const records = fresh.map(({ offset, value, headers }) => ({
            partition: fetched.partition,
            offset,
            value: value?.toString('utf8') ?? '',
            previous: headers?.previous === undefined ? Number.NaN : Number(String(headers.previous)),
          }))
          for (let at = 0; at < records.length; at += 500) {
            await batch(records.slice(at, at + 500))
            await heartbeat()
          }
          resolveOffset(fetched.lastOffset())
          begin.set(fetched.partition, Math.max(next, Number(fetched.lastOffset()) + 1))
          const end = left.get(fetched.partition)
          if (end !== undefined && Number(fetched.lastOffset()) >= end - 1) left.delete(fetched.partition)
          if (left.size === 0) resolve()
        } catch (error) {
          reject(error) // thrown on, it would be tried again
        }
      },
    })
    await promise
  } finally {
    await consumer.disconnect()
  }
}

/** Where each partition begins, and where those end that hold records. @throws Error when the topic is missing */
async function extentOf(options: KafkaOptions, name: string) {
  return withAdmin(options, async admin => {
    const existing = await admin.listTopics()
    if (!existing.includes(name)) throw new TopicMissing(name)
    const offsets = await admin.fetchTopicOffsets(name)
    return {
      begin: new Map(offsets.map(({ partition, low }) => [partition, Number(low)])),
      left: new Map(
        offsets
          .filter(({ low, high }) => Number(low) < Number(high))
          .map(({ partition, high }) => [partition, Number(high)]),
      ),
    }
  })
}

export class TopicMissing extends Error {
  override readonly name = 'TopicMissing'
  constructor(topic: string) {
    super(`The topic ${topic} is missing`)
  }
}
