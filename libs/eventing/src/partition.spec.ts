import { randomBytes } from 'node:crypto'
import { type Topic, topics } from '@grantlog/contracts'
import { expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { partitionOf, slotOf } from './partition.js'

const kafkas = kafkajs.Partitioners.DefaultPartitioner()

/** What kafkajs would choose, and with it every client that does as Java's. */
function slotOfKafkajs(key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }))
  return kafkas({ topic: 'any', partitionMetadata, message: { key, value: null } })
}

const keys = [
  ...Array.from({ length: 1000 }, (_, n) => randomBytes(n % 60).toString('base64url')),
  ...['ключ', '鍵-0199aa00', '🔑', 'client-ledgerly', 'é'.repeat(33)],
]

it.each([1, 2, 3, 7, 12, 100, 1000])(
  'puts every key where each Kafka client would, of %i partitions',
  count => {
    const ours = keys.map(key => slotOf(key, count))
    expect(ours).toEqual(keys.map(key => slotOfKafkajs(key, count)))
  },
)

it.each(Object.keys(topics) as Topic[])('counts the partitions of %s', topic => {
  const { partitions } = topics[topic]
  const used = new Set(keys.map(key => partitionOf(topic, key)))
  expect([...used].sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, n) => n))
})
