import { describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { catalogue } from '../catalogue.js'
import { schemaOf } from '../envelope.js'
import { wireType } from '../event.js'
import { heartbeatLine } from '../heartbeat.js'
import { corpusLine } from './corpus.js'
import { envelopeSchema, eventSchema, heartbeatSchema } from './schemas.js'

// the first two have a pattern beside them
const formats = { uuid: true, 'date-time': true, uri: (text: string) => URL.canParse(text) } as const
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, formats })
const refuses = (validate: ReturnType<typeof ajv.compile>, data: unknown) => {
  validate(data)
  return validate.errors ?? []
}

const envelope = ajv.compile(envelopeSchema())

describe.each(catalogue.map(entry => [wireType(entry), entry] as const))(
  'the schema of %s',
  (type, entry) => {
    const schema = eventSchema(entry)
    const validate = ajv.compile(schema)

    it('is found where the envelope says, and says what happened', () => {
      expect(schema.$id).toBe(schemaOf(type))
      expect(JSON.parse(corpusLine(entry)).dataschema).toBe(schema.$id)
      expect(schema.description).toBe(entry.summary)
    })

    it('takes the example and the corpus', () => {
      expect(schema.examples).toEqual([entry.example])
      expect(refuses(validate, entry.example)).toEqual([])
      const line = JSON.parse(corpusLine(entry))
      expect(refuses(envelope, line)).toEqual([])
      expect(refuses(validate, line.data)).toEqual([])
    })

    it('refuses what lacks any of the fields', () => {
      for (const field of schema.required ?? []) {
        const { [field]: _, ...data } = entry.example as Record<string, unknown>
        expect(refuses(validate, data).map(error => error.params.missingProperty)).toEqual([field])
      }
    })

    it('lets a reader meet fields that it does not know', () => {
      expect(refuses(validate, withMore(entry.example))).toEqual([])
    })
  },
)

describe('the schema of the envelope', () => {
  const [entry] = catalogue
  const line = JSON.parse(corpusLine(entry))

  it('refuses a line that is none', () => {
    expect(refuses(envelope, { ...line, logseq: 0 })).not.toEqual([])
    expect(refuses(envelope, { ...line, time: '2026-01-01' })).not.toEqual([])
    expect(refuses(envelope, { ...line, source: 'audit' })).not.toEqual([])
  })

  it('lets a reader meet attributes that it does not know', () => {
    expect(refuses(envelope, { ...line, newattribute: 'x' })).toEqual([])
  })
})

describe('the schema of the heartbeat', () => {
  const validate = ajv.compile(heartbeatSchema())

  it('takes one and refuses an event', () => {
    expect(refuses(validate, JSON.parse(heartbeatLine('token', 0, new Date(0))))).toEqual([])
    expect(refuses(validate, JSON.parse(corpusLine(catalogue[0])))).not.toEqual([])
  })
})

/** The value with one more member in every object. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries([
    ...Object.entries(value).map(([name, member]) => [name, withMore(member)]),
    ['newField', 1],
  ])
}
