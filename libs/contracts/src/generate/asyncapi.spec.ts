import specs from '@asyncapi/specs'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { catalogue } from '../catalogue.js'
import { wireType } from '../event.js'
import { heartbeatLine } from '../heartbeat.js'
import { type Topic, topics } from '../topics.js'
import { asyncApi } from './asyncapi.js'
import { corpusLine } from './corpus.js'

const document = asyncApi()
const lenient = { strict: false, validateFormats: false, allErrors: true }
const { schemas }: { schemas: Readonly<Record<string, object>> } = specs
// it has the draft-07 schema inside, under the name of ajv's own copy
const official = new Ajv({ ...lenient, meta: false, validateSchema: false }).compile(schemas['3.0.0'] ?? {})
const topicNames = Object.keys(topics) as Topic[]

/** What is at a reference: `#/components/messages/token.revoked.v1`. */
function resolve(reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (place, name) => (typeof place === 'object' && place !== null ? Reflect.get(place, name) : undefined),
      document,
    )
}

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' ? [member] : references(member),
  )
}

describe('the AsyncAPI document', () => {
  it('is valid by the official schema of AsyncAPI 3.0', () => {
    official(document)
    expect(official.errors ?? []).toEqual([])
  })

  it('would be refused with a wrong operation, message or Kafka binding', () => {
    const { clients } = document.channels
    for (const wrong of [
      { ...document, operations: { wrong: { action: 'shout', channel: { $ref: '#/channels/clients' } } } },
      { ...document, components: { messages: { wrong: { payload: { type: 'nothing' } } } } },
      { ...document, channels: { clients: { ...clients, bindings: { kafka: { partitions: 'many' } } } } },
    ]) {
      expect(official(wrong)).toBe(false)
    }
  })

  it('refers to nothing that it does not have', () => {
    const all = references(document)
    expect(all.length).toBeGreaterThan(catalogue.length * 4)
    expect(all.filter(reference => resolve(reference) === undefined)).toEqual([])
  })

  it.each(topicNames)('describes the topic %s as it is', topic => {
    const { name, partitions, writers } = topics[topic]
    expect(document.channels[topic]).toMatchObject({
      address: name,
      bindings: {
        kafka: { partitions, topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': -1 } },
      },
    })
    const senders = Object.entries(document.operations)
      .filter(([, { channel }]) => channel.$ref === `#/channels/${topic}`)
      .map(([operation]) => operation)
    expect(senders).toEqual(writers.map(service => `${service}.${topic}`))
  })

  it('has each event on its own topic and nowhere else', () => {
    for (const entry of catalogue) {
      const type = wireType(entry)
      const on = topicNames.filter(topic => type in (document.channels[topic]?.messages ?? {}))
      expect([type, on]).toEqual([type, [entry.topic]])
    }
  })

  // the payload as a consumer's generator would read it: the message with the document's own schemas
  it.each(catalogue.map(entry => [wireType(entry), entry] as const))(
    'has a payload that takes %s only',
    (type, entry) => {
      const takes = payloadOf(type)
      const line = JSON.parse(corpusLine(entry))
      expect(takes(line)).toBe(true)
      expect(takes({ ...line, type: 'thing.planted.v1' })).toBe(false)
      expect(takes({ ...line, data: {} })).toBe(false)
      expect(takes({ ...line, logseq: 0 })).toBe(false)
    },
  )

  it('has the heartbeat beside the revocations', () => {
    const takes = payloadOf('feed.heartbeat.v1')
    expect(takes(JSON.parse(heartbeatLine('token', 0, new Date(0))))).toBe(true)
    expect(Object.keys(document.channels.revocations?.messages ?? {})).toEqual([
      'token.revoked.v1',
      'feed.heartbeat.v1',
    ])
  })
})

function payloadOf(type: string) {
  const message = document.components.messages[type]
  if (message === undefined) throw new Error(`The document has no message ${type}`)
  const ajv = new Ajv(lenient)
  return ajv.compile({ ...message.payload, components: { schemas: document.components.schemas } })
}
