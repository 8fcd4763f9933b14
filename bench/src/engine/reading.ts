import {
  askProjection,
  createProjectionTable,
  EmbeddedTransport,
  Eventing,
  KafkaTransport,
  requestState,
  type Transport,
} from '@grantlog/eventing'
import type pg from 'pg'
import { type Figure, figure, median } from '../benchmark.js'
import type { Database, Ground } from './ground.js'
import { published } from './publishing.js'
import { sideBySide, until } from './rounds.js'
import { WatchedTransport } from './watched.js'
import { now, type TokenRow, tokenColumns, tokens } from './workload.js'

const columns = Object.keys(tokenColumns)
const keysetBatch = 2000

/** From Kafka, and from the log itself, into a read model. */
export async function measureReading(
  ground: Ground,
  log: Database,
  told: (line: string) => void,
): Promise<Figure[]> {
  const readModels = await ground.database('read_models')
  let batch = 1
  const fromKafka = await sideBySide(
    told,
    'Kafka → read model, events/s',
    async round => {
      const transport = new KafkaTransport({ clientId: 'bench', brokers: ground.brokers })
      const watched = await project(readModels.pool, transport, `from_kafka_${round}`)
      batch = Math.round(watched.events / watched.deliveries)
      return watched.rate()
    },
    round => upsertRate(readModels, `from_kafka_${round}`, batch),
  )
  const { filled, swapped } = await measureRebuild(readModels.pool, log, told)
  return [
    figure(
      'Kafka → read model',
      'events/s',
      { ...fromKafka, peerName: `unnest upsert of the same rows, ${batch} at a time` },
      { atLeast: 0.3, valueAtLeast: 30_000 },
    ),
    figure(
      'Rebuild of a read model from the log, until it is filled',
      'events/s',
      { ...filled, peerName: `reading the log, ${keysetBatch} events at a time` },
      { atLeast: 0.4, valueAtLeast: 60_000 },
    ),
    figure('Rebuild, until it is compared with a replay and in place', 'events/s', { ours: swapped }, {}),
  ]
}

/** A read model that serves is rebuilt beside itself, again and again. */
async function measureRebuild(pool: pg.Pool, log: Database, told: (line: string) => void) {
  const projection = tokens('rebuilt')
  await pool.query(createProjectionTable(projection))
  const service = new Eventing({
    pool,
    service: undefined,
    projections: [projection],
    remote: new EmbeddedTransport({ token: log.url }),
    report: error => process.stderr.write(`  ${String(error)}\n`),
    now,
  })
  service.start()
  await until(() => service.status().every(({ caughtUp }) => caughtUp), 'Catching up')
  const swapped: number[] = []
  const filled = await sideBySide(
    told,
    'rebuild until it is filled, events/s',
    async () => {
      const one = await rebuildOnce(pool, projection.name)
      swapped.push((published * 1000) / one.swapped)
      return (published * 1000) / one.filled
    },
    () => keysetRate(log.pool),
  )
  await service.stop()
  return { filled, swapped: median(swapped) }
}

/** Milliseconds from when the instance begins. @throws Error when the rebuild failed */
async function rebuildOnce(pool: pg.Pool, name: string): Promise<{ filled: number; swapped: number }> {
  const id = await askProjection(pool, name, 'rebuild')
  let [began, filled, swapped] = [0, 0, 0]
  await until(async () => {
    const { taken, progress, ok, outcome } = await requestState(pool, id)
    const time = performance.now()
    if (taken) began ||= time
    if (progress?.stage === 'verify' || ok) filled ||= time
    if (ok === false) throw new Error(String(outcome))
    swapped = time
    return ok === true
  }, 'Rebuilding')
  return { filled: filled - began, swapped: swapped - began }
}

/** Fills a new read model with all that was published. */
async function project(pool: pg.Pool, transport: Transport, table: string): Promise<WatchedTransport> {
  const projection = tokens(table)
  await pool.query(createProjectionTable(projection))
  const watched = new WatchedTransport(transport)
  const service = new Eventing({
    pool,
    service: undefined,
    projections: [projection],
    remote: watched,
    report: error => process.stderr.write(`  ${String(error)}\n`),
    now,
  })
  service.start()
  await until(() => watched.events >= published, `Filling ${table}`)
  await service.stop()
  return watched
}

/** The same rows into a table like it by one statement and one commit per batch, on one connection. */
async function upsertRate({ pool }: Database, filled: string, batch: number): Promise<number> {
  const table = `raw_${filled}`
  await pool.query(`create table ${table} (like ${filled} including all)`)
  const { rows } = await pool.query<TokenRow>(`select * from ${filled}`)
  const types = Object.values(tokenColumns).map(type => type.split(' ')[0])
  const text = `
    insert into ${table} (${columns}) select * from unnest(${types.map((type, n) => `$${n + 1}::${type}[]`)})
    on conflict (token_id) do update set ${columns.map(column => `${column} = excluded.${column}`)}`
  const client = await pool.connect()
  const began = performance.now()
  for (let from = 0; from < rows.length; from += batch) {
    const some = rows.slice(from, from + batch)
    const values = [
      some.map(row => row.token_id),
      some.map(row => row.client_id),
      some.map(row => row.subject),
      some.map(row => row.audience),
      some.map(row => row.expires_at),
    ]
    await client.query({ name: `upsert ${table}`, text, values })
  }
  const seconds = (performance.now() - began) / 1000
  client.release()
  return rows.length / seconds
}

/** All of the log, each event's facts parsed, and nothing done with them. */
async function keysetRate(pool: pg.Pool): Promise<number> {
  const began = performance.now()
  let last = 0
  let read = 0
  for (let more = true; more; ) {
    const { rows } = await pool.query<{ log_seq: string; data: string }>({
      name: 'keyset',
      text: `
        select e.log_seq, e.event_id, e.type, e.stream_id, e.stream_version, e.time, e.actor_type, e.actor_id, e.traceparent,
          e.data::text
        from events e where e.log_seq > $1 order by e.log_seq limit ${keysetBatch}`,
      values: [last],
    })
    for (const row of rows) if (JSON.parse(row.data) !== null) read += 1
    last = Number(rows.at(-1)?.log_seq ?? last)
    more = rows.length === keysetBatch
  }
  return (read * 1000) / (performance.now() - began)
}
