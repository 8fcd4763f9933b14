import type pg from 'pg'
import { ask } from './connection.js'
import { gathering } from './gathering.js'

/** A question whose concurrent uses share a query. */
export interface GroupedQuery<Row> {
  /** Of the prepared statement. */
  readonly name: string
  /** Selects all rows that any key of `$1::text[]` asks for. */
  readonly text: string
  /** The keys that a row answers. */
  readonly keysOf: (row: Row) => readonly string[]
}

/** The query as a function: in each database its concurrent uses share one statement. */
export function grouped<Row extends object>(query: GroupedQuery<Row>) {
  const reads = new WeakMap<pg.Pool, GroupRead<Row>>()
  return (pool: pg.Pool, ...keys: readonly string[]): Promise<readonly Row[]> => {
    let read = reads.get(pool)
    if (read === undefined) {
      read = new GroupRead(pool, query)
      reads.set(pool, read)
    }
    return read.find(...keys)
  }
}

/**
 * Concurrent questions share one query; those that come while it is under way share the next. Nothing is kept: an answer was read
 * after it was asked for.
 */
export class GroupRead<Row extends object> {
  #waiting: Waiting<Row>[] = []
  #reading: Promise<void> | undefined

  constructor(
    private readonly pool: pg.Pool,
    private readonly query: GroupedQuery<Row>,
  ) {}

  /** The rows that answer any of the keys. */
  find(...keys: readonly string[]): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ keys, resolve, reject })
      this.#reading ??= this.#readAll()
    })
  }

  async #readAll(): Promise<void> {
    await gathering(() => this.#waiting.length)
    while (this.#waiting.length > 0) await this.#read(this.#waiting.splice(0))
    this.#reading = undefined
  }

  async #read(batch: readonly Waiting<Row>[]): Promise<void> {
    try {
      const { keysOf } = this.query
      const rows = await this.#rows([...new Set(batch.flatMap(({ keys }) => keys))])
      const found = new Map<string, Row[]>()
      for (const row of rows)
        for (const key of keysOf(row)) {
          const same = found.get(key)
          if (same === undefined) found.set(key, [row])
          else same.push(row)
        }
      for (const { keys, resolve } of batch) resolve(answering(keys, found))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async #rows(keys: readonly string[]): Promise<readonly Row[]> {
    const { name, text } = this.query
    const client = await this.pool.connect()
    try {
      const { rows } = await ask<Row>(client, { name, text, values: [keys] })
      client.release()
      return rows
    } catch (error) {
      client.release(true)
      throw error
    }
  }
}

/** Each row once, whichever of the keys it answers. */
function answering<Row>(keys: readonly string[], found: ReadonlyMap<string, Row[]>): readonly Row[] {
  const rows = keys.flatMap(key => found.get(key) ?? [])
  return rows.length > 1 ? [...new Set(rows)] : rows
}

interface Waiting<Row> {
  readonly keys: readonly string[]
  resolve(rows: readonly Row[]): void
  reject(error: unknown): void
}
