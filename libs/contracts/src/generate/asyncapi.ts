import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { catalogue } from '../catalogue.js'
import { envelope, schemaOf } from '../envelope.js'
import { type EventDefinition, wireType } from '../event.js'
import { heartbeat } from '../heartbeat.js'
import { type Topic, topics } from '../topics.js'
import { corpusLine } from './corpus.js'
import { readersSchema } from './schemas.js'

const heartbeatType = heartbeat.shape.type.value
const kafka = { bindingVersion: '0.5.0' }
const topicNames = Object.keys(topics) as Topic[]
const messagesOf = (topic: Topic) => [
  ...catalogue.filter(entry => entry.topic === topic).map(wireType),
  ...(topic === 'revocations' ? [heartbeatType] : []),
]

/** The topics, who writes them and what is on them (AsyncAPI 3.0). It refers to no other file. */
export function asyncApi() {
  return {
    asyncapi: '3.0.0',
    id: 'urn:grantlog:events',
    info: documentInfo(),
    defaultContentType,
    channels: Object.fromEntries(topicNames.map(topic => [topic, channel(topic)])),
    operations: Object.fromEntries(
      topicNames.flatMap(topic =>
        topics[topic].writers.map(service => [`${service}.${topic}`, operation(topic, service)] as const),
      ),
    ),
    components: {
      messages: Object.fromEntries([
        ...catalogue.map(entry => [wireType(entry), eventMessage(entry)] as const),
        [heartbeatType, heartbeatMessage()] as const,
      ]),
      schemas: {
        envelope: schema(envelope),
        headers: schema(headers),
        ...Object.fromEntries(
          catalogue.map(entry => [wireType(entry), { description: entry.summary, ...schema(entry.data) }]),
        ),
        [heartbeatType]: schema(heartbeat),
      },
    },
  }
}

export const defaultContentType = 'application/cloudevents+json'

/** What the document is. */
export const documentInfo = () => ({
  title: 'Grantlog events',
  version: packageVersion(),
  description:
    'Each message is one CloudEvents 1.0 document in structured mode, canonical JSON (RFC 8785). Ignore event types and fields that you do not know.',
  license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
})

/** Of every message. */
export const headers = z.object({
  'content-type': z
    .literal('application/cloudevents+json')
    .describe('A CloudEvents document in structured mode.'),
  previous: z
    .string()
    .regex(/^\d+$/)
    .describe(
      'The `logseq` of what the same source published before to this partition, 0 for the first: a consumer that last applied another one has a gap.',
    ),
})

function channel(topic: Topic) {
  const { name, partitions, summary } = topics[topic]
  return {
    address: name,
    summary,
    messages: Object.fromEntries(
      messagesOf(topic).map(type => [type, { $ref: `#/components/messages/${type}` }]),
    ),
    bindings: {
      kafka: {
        partitions,
        topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': -1 },
        ...kafka,
      },
    },
  }
}

function operation(topic: Topic, service: string) {
  return {
    action: 'send',
    channel: { $ref: `#/channels/${topic}` },
    summary: `The ${service} service writes ${topics[topic].name}.`,
    tags: [{ name: service }],
    messages: messagesOf(topic).map(type => ({ $ref: `#/channels/${topic}/messages/${type}` })),
  }
}

function eventMessage(entry: EventDefinition) {
  const type = wireType(entry)
  return {
    name: type,
    title: entry.type,
    summary: entry.summary,
    headers: { $ref: '#/components/schemas/headers' },
    payload: {
      allOf: [
        { $ref: '#/components/schemas/envelope' },
        {
          type: 'object',
          properties: {
            type: { const: type },
            dataschema: { const: schemaOf(type) },
            data: { $ref: `#/components/schemas/${type}` },
          },
        },
      ],
    },
    bindings: {
      kafka: {
        key: { type: 'string', description: `The stream: ${entry.streams.join(' or ')}.` },
        ...kafka,
      },
    },
    examples: [{ name: type, payload: JSON.parse(corpusLine(entry)) }],
  }
}

function heartbeatMessage() {
  return {
    name: heartbeatType,
    title: 'feed.heartbeat',
    summary: 'Every second, on each partition: nothing more was revoked until now.',
    headers: { $ref: '#/components/schemas/headers' },
    payload: { $ref: `#/components/schemas/${heartbeatType}` },
    bindings: { kafka: { key: { type: 'string', description: 'Empty.' }, ...kafka } },
  }
}

/** AsyncAPI 3.0 schemas are JSON Schema draft-07. */
const schema = (type: z.ZodType) => readersSchema(type, 'draft-07')

function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}
