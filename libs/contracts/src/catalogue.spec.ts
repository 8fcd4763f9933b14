import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import {
  assertFact,
  catalogue,
  definitionOf,
  type EventType,
  eventTypeOf,
  type Fact,
  namesOnTheWire,
  readFact,
  upcast,
} from './catalogue.js'
import { defineEvent, earlierVersion, streamOf, versionsOf, wireType } from './event.js'
import { services, topics } from './topics.js'

const events = catalogue.map(entry => [entry.type, entry] as const)
const factOf = (type: EventType, data: object = definitionOf(type).example) => ({ type, data }) as Fact

/** The paths of the objects that take fields which they do not name. */
function openObjects(schema: z.ZodType): string[] {
  const open: string[] = []
  z.toJSONSchema(schema, {
    io: 'input', // only there is a closed object unlike one that drops what it does not know
    override: ({ jsonSchema, path }) => {
      if (jsonSchema.type === 'object' && jsonSchema.additionalProperties !== false) open.push(path.join('.'))
      if (Object.keys(jsonSchema).length === 0) open.push(path.join('.'))
    },
  })
  return open
}

describe('the catalogue', () => {
  it('names each event once', () => {
    const names = catalogue.map(entry => entry.type)
    expect(names).toEqual([...new Set(names)])
  })

  it('has an event for each topic, and a writer for each', () => {
    expect(new Set(catalogue.map(entry => entry.topic))).toEqual(new Set(Object.keys(topics)))
    const writers = Object.values(topics).flatMap(topic => [...topic.writers])
    expect(new Set(writers)).toEqual(new Set(services))
  })

  it('finds an event by its name on the wire, and no other version of it', () => {
    expect(eventTypeOf('grant.approved.v1')).toBe('grant.approved')
    expect(eventTypeOf('grant.approved.v2')).toBeUndefined()
    expect(eventTypeOf('grant.approved')).toBeUndefined()
  })

  it('knows no event by another name', () => {
    expect(() => definitionOf('grant.forgotten' as EventType)).toThrow('No event is called grant.forgotten')
  })
})

describe.each(events)('%s', (type, entry) => {
  it('is called category.past-tense', () => {
    expect(type).toMatch(/^[a-z]+\.([a-z]+-)*([a-z]+ed)$/)
    expect(wireType(entry)).toMatch(/\.v[1-9]\d*$/)
  })

  it('says in one sentence what happened', () => {
    expect(entry.summary).toMatch(/^[A-Z].*\.$/)
  })

  it('has a valid example', () => {
    expect(() => assertFact(factOf(type))).not.toThrow()
  })

  it('refuses a field that it does not know', () => {
    const data = { ...entry.example, planted: 1 }
    expect(() => assertFact(factOf(type, data))).toThrow(/planted/)
  })

  it('closes every object in it', () => {
    expect(openObjects(entry.data)).toEqual([])
  })

  it('misses each of its fields', () => {
    for (const [field, { def }] of Object.entries(entry.data.shape)) {
      if (def.type === 'optional') continue
      const { [field]: _, ...data } = entry.example as Record<string, unknown>
      expect(() => assertFact(factOf(type, data))).toThrow(`${field}: `)
    }
  })

  it('belongs to a stream that its facts name', () => {
    expect(streamOf(entry, entry.example)).toMatch(/^[a-z]+-[A-Za-z0-9._~-]+$/)
  })
})

describe('what is stored of an event', () => {
  it('has no unknown field at any depth', () => {
    const { example } = definitionOf('grant.approved')
    const data = {
      ...example,
      owner: { kind: 'person', id: '0199aa00-0000-7000-8000-0000000000ad', planted: 1 },
    }
    expect(() => assertFact(factOf('grant.approved', data))).toThrow(
      'grant.approved is not valid: owner: Unrecognized key: "planted"',
    )
  })

  it('is refused with every field that is wrong', () => {
    const data = { clientId: 'white space', reason: 1 }
    expect(() => assertFact(factOf('client.suspended', data))).toThrow(
      /^client\.suspended is not valid: clientId: .*; reason: /,
    )
  })

  it.each([
    [
      'an object that drops unknown fields',
      z.strictObject({ inner: z.object({ id: z.string() }) }),
      ['properties.inner'],
    ],
    ['an object that keeps them', z.looseObject({}), ['']],
    ['a record', z.strictObject({ any: z.record(z.string(), z.string()) }), ['properties.any']],
  ])('would not go unnoticed in %s', (_, schema, open) => {
    expect(openObjects(schema)).toEqual(expect.arrayContaining(open))
  })
})

describe('the stream of an event', () => {
  const definition = defineEvent({
    type: 'test.happened',
    topic: 'tokens',
    streams: ['family-{familyId}', 'token-{token.id}'],
    summary: 'It happened.',
    data: z.strictObject({ familyId: z.string().nullable(), token: z.strictObject({ id: z.string() }) }),
    example: { familyId: null, token: { id: 't' } },
  })

  it.each([
    [{ familyId: 'f', token: { id: 't' } }, 'family-f'],
    [{ familyId: null, token: { id: 't' } }, 'token-t'],
  ])('of %j is %s', (data, stream) => {
    expect(streamOf(definition, data)).toBe(stream)
  })

  it('is an error where the facts name none', () => {
    expect(() => streamOf(definition, { familyId: null })).toThrow(
      'The facts of test.happened name none of its streams: family-{familyId}, token-{token.id}',
    )
  })
})

describe('an event whose facts changed twice', () => {
  const renamed = defineEvent({
    type: 'test.renamed',
    version: 3,
    topic: 'tokens',
    streams: ['family-{familyId}'],
    summary: 'It was renamed.',
    data: z.strictObject({ familyId: z.string(), names: z.array(z.string()), by: z.string().nullable() }),
    example: { familyId: 'f', names: ['a'], by: null },
    earlier: [
      earlierVersion({
        version: 1,
        data: z.strictObject({ family: z.string(), name: z.string() }),
        example: { family: 'f', name: 'a' },
        upcast: ({ family, name }) => ({ familyId: family, name }),
      }),
      earlierVersion({
        version: 2,
        data: z.strictObject({ familyId: z.string(), name: z.string() }),
        example: { familyId: 'f', name: 'a' },
        upcast: ({ familyId, name }) => ({ familyId, names: [name], by: null }),
      }),
    ],
  })
  const names = namesOnTheWire([renamed])

  it.each([
    ['test.renamed.v1', { family: 'f', name: 'a' }],
    ['test.renamed.v2', { familyId: 'f', name: 'a' }],
    ['test.renamed.v3', { familyId: 'f', names: ['a'], by: null }],
  ])('is read from %s as the current version has it', (wire, data) => {
    const fact = upcast(names, wire, data)
    expect(fact).toEqual({ type: 'test.renamed', data: { familyId: 'f', names: ['a'], by: null } })
    expect(renamed.data.safeParse(fact?.data).success).toBe(true)
  })

  it('is not known in a version that is still to come', () => {
    expect(upcast(names, 'test.renamed.v4', {})).toBeUndefined()
    expect(readFact('grant.approved.v2', {})).toBeUndefined()
  })

  it('keeps a schema and a corpus line for each version', () => {
    expect(versionsOf(renamed).map(wireType)).toEqual([
      'test.renamed.v1',
      'test.renamed.v2',
      'test.renamed.v3',
    ])
    for (const { data, example } of versionsOf(renamed)) expect(data.safeParse(example).success).toBe(true)
  })
})

describe('every version before of an event of the catalogue', () => {
  it('numbers its versions from 1 without a gap, and becomes valid facts of the current one', () => {
    for (const entry of catalogue) {
      const versions = versionsOf(entry)
      expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1))
      for (const version of versions) {
        const fact = readFact(wireType(version), version.example)
        expect(() => assertFact(fact as Fact)).not.toThrow()
      }
    }
  })
})
