import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { catalogue } from '../catalogue.js'
import { wireType } from '../event.js'
import { topics } from '../topics.js'
import { eventsPage } from './events-page.js'
import { fieldsOf } from './fields-table.js'

describe('the reference of events', () => {
  const page = eventsPage()

  it('has every topic and every event', () => {
    for (const { name } of Object.values(topics)) expect(page).toContain(`\n## ${name}\n`)
    for (const entry of catalogue) expect(page).toContain(`\n### ${wireType(entry)}\n\n${entry.summary}\n`)
  })

  it.each(catalogue.map(entry => [entry.type, entry] as const))(
    'says what each field of %s means',
    (_, entry) => {
      const fields = fieldsOf(entry.data)
      expect(fields.map(({ path }) => path)).toEqual(expect.arrayContaining(Object.keys(entry.example)))
      expect(fields.filter(({ meaning }) => meaning === '')).toEqual([])
    },
  )

  it.each<[z.ZodType, string]>([
    [z.uuid(), 'UUID'],
    [z.iso.datetime({ precision: 3 }), 'time, ISO 8601'],
    [z.string(), 'string'],
    [z.string().max(9), 'string, up to 9 characters'],
    [z.string().min(1).max(9), 'string, 1 to 9 characters'],
    [z.string().length(43), 'string, 43 characters'],
    [z.string().regex(/^a|b$/), 'string, `^a|b$`'],
    [z.url(), 'URL'],
    [z.int(), 'integer'],
    [z.int().positive(), 'integer, 1 or more'],
    [z.int().min(30).max(3600), 'integer, 30 to 3600'],
    [z.boolean(), 'boolean'],
    [z.literal('EC'), '`EC`'],
    [z.enum(['a', 'b']), '`a`, `b`'],
    [z.array(z.uuid()), 'list of UUID'],
    [z.array(z.uuid()).min(1), 'list of 1 or more: UUID'],
    [z.uuid().nullable(), 'UUID, or null'],
    [z.uuid().optional(), 'UUID, optional'],
    [z.uuid().nullable().optional(), 'UUID, or null, optional'],
  ])('gives a type a person can read (%#)', (schema, type) => {
    expect(fieldsOf(z.strictObject({ field: schema })).map(field => field.type)).toEqual([type])
  })

  it('lists the fields of inner objects by their paths', () => {
    const inner = z.strictObject({ id: z.string() })
    const schema = z.strictObject({ owner: inner.nullable(), list: z.array(inner) })
    expect(fieldsOf(schema).map(({ path }) => path)).toEqual(['owner', 'owner.id', 'list', 'list[].id'])
  })

  it('lists the fields of objects that are of several kinds once', () => {
    const key = z.union([
      z.strictObject({ kty: z.literal('EC').describe('Type.'), y: z.string().describe('Y.') }),
      z.strictObject({ kty: z.literal('OKP') }),
    ])
    expect(fieldsOf(z.strictObject({ key: key.describe('A key.') }))).toEqual([
      { path: 'key', type: 'object', meaning: 'A key.' },
      { path: 'key.kty', type: '`EC`, `OKP`', meaning: 'Type.' },
      { path: 'key.y', type: 'string, optional', meaning: 'Y.' },
    ])
  })

  it('keeps a bar inside a cell from ending it', () => {
    expect(page).not.toMatch(/^\|.*[^\\]\|[^ \n].*\|$/m)
  })
})
