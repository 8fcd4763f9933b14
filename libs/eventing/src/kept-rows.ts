import type pg from 'pg'
import { type GroupedQuery, grouped } from './group-read.js'
import { KeptConnection } from './kept-connection.js'
import { Loop } from './loop.js'
import type { Projection } from './projection.js'
import { changedChannel } from './tables.js'

const pingMilliseconds = 500
/** So old may be what is kept, where the database says nothing. */
const trustMilliseconds = 1500
/** Of each query; beyond it all are forgotten. */
const maxAnswers = 5000

const watches = new WeakMap<pg.Pool, ReadModelWatch>()

/**
 * The query as a function whose answers are kept in memory until the read model, which must be `keptInMemory`, changes. A key without
 * a row is asked for each time. Rows are shared: nobody may change them.
 */
export function kept<Row extends object>({ table }: Projection, query: GroupedQuery<Row>) {
  const read = grouped(query)
  const readAnew = async (pool: pg.Pool, key: string, answers: Map<string, readonly Row[]> | undefined) => {
    const rows = await read(pool, key)
    // where the read model changed meanwhile, these answers are those of before: nobody asks them any more
    if (rows.length > 0) answers?.set(key, rows)
    if (answers !== undefined && answers.size > maxAnswers) answers.clear()
    return rows
  }
  return (pool: pg.Pool, key: string): Promise<readonly Row[]> => {
    const answers = watches.get(pool)?.answers(table, query.name) as Map<string, readonly Row[]> | undefined
    const known = answers?.get(key)
    return known === undefined ? readAnew(pool, key, answers) : together(known)
  }
}

/**
 * The answer once whatever has arrived was taken in, as where it is read: what is asked for at the same time goes on together, and what it
 * then appends shares a commit.
 */
function together<Answer>(answer: Answer): Promise<Answer> {
  arriving ??= new Promise<void>(resolve => setImmediate(resolve)).then(() => {
    arriving = undefined
  })
  return arriving.then(() => answer)
}

let arriving: Promise<void> | undefined

/**
 * Hears from the database when a read model changes, whichever instance writes it, and keeps answers until then. The change and its
 * notification are one transaction; and an answer is trusted only while the database has said something within a second and a half:
 * before each answer to a ping it says what has changed.
 */
export class ReadModelWatch {
  readonly #connection: KeptConnection
  readonly #loop: Loop
  /** By table and the name of the query. */
  readonly #answers = new Map<string, Map<string, Map<string, unknown>>>()
  #heardUntil = Number.NEGATIVE_INFINITY

  constructor(
    private readonly pool: pg.Pool,
    report: (error: unknown) => void,
  ) {
    this.#connection = new KeptConnection(
      pool,
      client => {
        client.on('notification', ({ payload }) => void this.#answers.delete(payload ?? ''))
        return client.query(`listen ${changedChannel}`)
      },
      () => this.#forget(),
    )
    this.#loop = new Loop(
      () => this.#ping(),
      error => {
        report(error)
        return pingMilliseconds
      },
    )
  }

  start(): void {
    watches.set(this.pool, this)
    this.#loop.start()
  }

  async stop(): Promise<void> {
    watches.delete(this.pool)
    await this.#loop.stop()
    this.#connection.close()
  }

  /** What is known of a read model; undefined while that may be old. */
  answers(table: string, query: string): Map<string, unknown> | undefined {
    if (performance.now() - this.#heardUntil > trustMilliseconds) return undefined
    return entry(
      entry(this.#answers, table, () => new Map<string, Map<string, unknown>>()),
      query,
      () => new Map<string, unknown>(),
    )
  }

  async #ping(): Promise<number> {
    const client = await this.#connection.get()
    const asked = performance.now()
    await client.query('select')
    if (this.#connection.is(client)) this.#heardUntil = asked
    return pingMilliseconds
  }

  #forget(): void {
    this.#answers.clear()
    this.#heardUntil = Number.NEGATIVE_INFINITY
  }
}

function entry<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const created = create()
  map.set(key, created)
  return created
}
