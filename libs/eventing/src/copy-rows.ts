import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Projection, Row } from './projection.js'

/**
 * Rows into the table of a projection by COPY: several times as fast as an INSERT, for rows that are not there yet.
 * @throws Error from Postgres, also for a row that is there already when the table has its key
 */
export async function copyRows(
  client: pg.ClientBase,
  { table, columns }: Projection,
  rows: Iterable<Row>,
): Promise<void> {
  const types = Object.entries(columns)
  let text = ''
  for (const row of rows) {
    let separator = ''
    for (const [column, type] of types) {
      text += separator + copied((row as Record<string, unknown>)[column], type)
      separator = '\t'
    }
    text += '\n'
  }
  const copy = client.query(copyFrom(`copy ${table} (${Object.keys(columns)}) from stdin`))
  copy.end(text)
  await once(copy, 'finish')
}

/** A value of a row in COPY's text format, as `json_populate_record` would read it. */
function copied(value: unknown, type: string): string {
  if (value === null || value === undefined) return '\\N'
  const text = textOf(value, type)
  return special.test(text) ? text.replace(everySpecial, character => escapes[character] ?? character) : text
}

function textOf(value: unknown, type: string): string {
  if (typeof value !== 'object' && !type.startsWith('json')) return String(value)
  return Array.isArray(value) && !type.startsWith('json') ? arrayOf(value) : JSON.stringify(value)
}

function arrayOf(values: readonly unknown[]): string {
  const elements = values.map(value =>
    value === null
      ? 'NULL'
      : Array.isArray(value)
        ? arrayOf(value)
        : `"${String(value).replace(/[\\"]/g, '\\$&')}"`,
  )
  return `{${elements}}`
}

const special = /[\\\b\f\n\r\t\v]/
const everySpecial = new RegExp(special, 'g')
const escapes: Record<string, string> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
