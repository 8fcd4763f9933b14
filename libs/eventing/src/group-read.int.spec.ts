import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type pg from 'pg'
import { Connection } from './connection.js'
import { type GroupedQuery, grouped } from './group-read.js'
import { aLog, type LogDatabase } from './specs/a-log.js'

interface Fruit {
  readonly name: string
  readonly colours: readonly string[]
}

const query: GroupedQuery<Fruit> = {
  name: 'fruits-by-colour',
  text: 'select name, colours from fruits where colours && $1::text[] order by name',
  keysOf: ({ colours }) => colours,
}

let log: LogDatabase
let pool: pg.Pool
let asked: string[][]

/** A connection that remembers for which keys it was asked. */
class Recording extends Connection {
  constructor(config?: pg.ClientConfig) {
    super(config)
    const send: (...args: unknown[]) => unknown = this.query.bind(this)
    const record = (...args: unknown[]) => {
      const { name, values } = Object(args[0])
      if (name === query.name) asked.push(values[0])
      return send(...args)
    }
    Object.assign(this, { query: record })
  }
}

beforeAll(async () => {
  log = await aLog('group_read')
  pool = log.another({ Client: Recording })
  await pool.query(`
    create table fruits (name text primary key, colours text[] not null);
    insert into fruits values ('apple', '{red,green}'), ('cherry', '{red}'), ('lemon', '{yellow}')`)
})
afterAll(() => log?.drop())

it('questions of the same moment share a query, and each gets its own answer', async () => {
  asked = []
  const byColour = grouped(query)
  const answers = await Promise.all(
    ['red', 'yellow', 'red', 'blue', 'green'].map(colour => byColour(pool, colour)),
  )
  expect(answers.map(fruits => fruits.map(({ name }) => name))).toEqual([
    ['apple', 'cherry'],
    ['lemon'],
    ['apple', 'cherry'],
    [],
    ['apple'],
  ])
  expect(asked).toEqual([['red', 'yellow', 'blue', 'green']])
})

it('a question of several keys is answered with the rows of all of them, each once', async () => {
  asked = []
  const byColour = grouped(query)
  const answers = await Promise.all([
    byColour(pool, 'red', 'green', 'yellow'),
    byColour(pool, 'blue', 'yellow'),
    byColour(pool, 'blue', 'white'),
  ])
  expect(answers.map(fruits => fruits.map(({ name }) => name).sort())).toEqual([
    ['apple', 'cherry', 'lemon'],
    ['lemon'],
    [],
  ])
  expect(asked).toEqual([['red', 'green', 'yellow', 'blue', 'white']])
})

it('a question that comes while a query is under way is not answered by it', async () => {
  asked = []
  const byColour = grouped(query)
  const before = byColour(pool, 'blue')
  while (asked.length === 0) await new Promise(setImmediate)
  await log.pool.query(`insert into fruits values ('plum', '{blue}')`)
  const after = byColour(pool, 'blue')
  await before
  expect(await after).toEqual([{ name: 'plum', colours: ['blue'] }])
  expect(asked).toEqual([['blue'], ['blue']])
})

it('every pool is asked for itself', async () => {
  const byColour = grouped(query)
  const other = await aLog('group_read_other')
  await other.pool.query('create table fruits (name text, colours text[])')
  const [here, there] = await Promise.all([byColour(pool, 'red'), byColour(other.pool, 'red')])
  expect([here.length, there.length]).toEqual([2, 0])
  await other.drop()
})

it('an error reaches everybody who asked, and nobody after', async () => {
  const byColour = grouped(query)
  await pool.query('alter table fruits rename to vegetables')
  const failed = await Promise.allSettled(['red', 'blue'].map(colour => byColour(pool, colour)))
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await pool.query('alter table vegetables rename to fruits')
  expect(await byColour(pool, 'yellow')).toHaveLength(1)
})
