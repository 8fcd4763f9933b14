import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { copyRows } from './copy-rows.js'
import { createProjectionTable, type Projection, type Row } from './projection.js'
import { writeRows } from './read-model.js'
import { aLog, type LogDatabase } from './specs/a-log.js'

let log: LogDatabase
beforeAll(async () => {
  log = await aLog('copy')
})
afterAll(() => log.drop())

const nasty = [
  '\\N',
  '\\.',
  '\\',
  '"',
  '{}',
  ',',
  'NULL',
  'a\tb',
  'a\nb',
  'a\r\nb',
  '\b\f\v',
  '',
  ' ',
  'ä€😀',
  '{"a":"\\n"}',
  '\\t',
]
const text = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'grapheme' }).map(value => value.replaceAll('\0', '')), // Postgres keeps no NUL, whichever way it comes
)
const rows = fc.uniqueArray(
  fc.record({
    id: text,
    maybe: fc.option(text),
    times: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    at: fc.maxSafeInteger(),
    done: fc.boolean(),
    tags: fc.array(fc.oneof(text, fc.constant(null))),
    facts: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.array(text))),
    more: fc.oneof(text, fc.integer(), fc.constant(null)),
  }),
  { selector: row => row.id, minLength: 1, maxLength: 20 },
)

const projection = (name: string): Projection => ({
  name,
  security: false,
  table: name,
  key: 'id',
  columns: {
    id: 'text',
    maybe: 'text',
    times: 'integer not null',
    at: 'bigint not null',
    done: 'boolean not null',
    tags: 'text[] not null',
    facts: 'json not null',
    more: 'jsonb',
  },
  on: {},
})

it('copies what an insert would have written', async () => {
  const [copied, inserted] = [projection('copied'), projection('inserted')]
  const client = await log.pool.connect()
  for (const each of [copied, inserted]) await client.query(createProjectionTable(each))
  const contentOf = async ({ table }: Projection) =>
    (await client.query<{ row: string }>(`select to_json(t)::text as row from ${table} t order by id`)).rows
  await fc.assert(
    fc.asyncProperty(rows, async some => {
      await client.query('truncate copied, inserted')
      await copyRows(client, copied, some as readonly Row[])
      await writeRows(client, inserted, new Map(some.map(row => [row.id, row])))
      expect(await contentOf(copied)).toEqual(await contentOf(inserted))
    }),
    { numRuns: 200 },
  )
  client.release()
})

it('fails as Postgres does, and the connection goes on', async () => {
  const client = await log.pool.connect()
  await client.query(createProjectionTable(projection('strict')))
  await expect(copyRows(client, projection('strict'), [{ id: 'a', maybe: 'b' }])).rejects.toThrow(
    /null value in column/,
  )
  expect((await client.query('select count(*)::int from strict')).rows).toEqual([{ count: 0 }])
  client.release()
})
