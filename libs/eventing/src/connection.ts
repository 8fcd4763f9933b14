import type { Socket } from 'node:net'
import pg from 'pg'

const silenceMilliseconds = 30_000

const settings = [
  'enable_seqscan=off',
  'jit=off', // Postgres before 18 takes a scan that can not be avoided for so dear that it would compile the statement
  // a prepared statement is planned once: for arrays, which may be short, it would else be planned anew at each use, for more
  // time than it runs
  'plan_cache_mode=force_generic_plan',
]
  .map(setting => `-c ${setting}`)
  .join(' ')

/** From now on its queries go to the server at once, and are answered in the order in which they were asked. */
export function pipelined<Client extends pg.ClientBase>(client: Client): Client {
  return Object.assign(client, { pipeline: true })
}

/**
 * As `client.query`, but nothing of it outlives its answer. The promise of `client.query` is made with a function that is set as a
 * property of the query: such a one V8 takes for a method, which it makes among the old objects. There it lies until all of the heap is
 * looked through, and with it the query’s values and rows.
 */
export function ask<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  { name, text, values }: Required<Pick<pg.QueryConfig<unknown[]>, 'name' | 'text' | 'values'>>,
): Promise<pg.QueryResult<Row>> {
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult<Row>>()
  const callback = (error: Error | null, result: pg.QueryResult<Row>) =>
    error ? reject(error) : resolve(result)
  // made of a text: of an object, pg copies each property with its descriptor, which takes as long as the rest
  client.query(Object.assign(new pg.Query(text, values), { name, callback }))
  return promise
}

/**
 * A connection whose end does not end the process, that does not wait for ever, and whose prepared statements are planned once, and
 * never read a whole table where there is an index: a plan that was made while a table was small is kept while it grows.
 *
 * What was asked on a connection that broke fails, and so does what is asked next; but where the server's last word comes with the
 * answer before, whoever takes the connection from the pool is not listening yet. And a network can forget a connection: then nobody
 * says that no answer will come.
 */
export class Connection extends pg.Client {
  /** The server may take its time: for migrations and indexes. */
  patient = false

  /** @param config `silence`: how long the server may say nothing while it owes an answer, in milliseconds; 30,000 without it */
  constructor(config: pg.ClientConfig & { silence?: number } = {}) {
    super({ ...config, options: `${config.options ?? ''} ${settings}` })
    this.on('error', () => undefined)
    const { stream } = (this as unknown as { connection: { stream: Socket } }).connection
    let answered = 0
    const nothingOwed = () => {
      answered = stream.bytesWritten
    }
    this.on('connect', nothingOwed).on('drain', nothingOwed)
    const silence = config.silence ?? silenceMilliseconds
    stream.setTimeout(silence, () => {
      if (stream.bytesWritten > answered && !this.patient)
        stream.destroy(new Error(`The database has not answered for ${silence / 1000} s`))
    })
  }
}
