import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Append, createEventTables, EventStore } from '@grantlog/eventing'
import { ensureDatabase, startPostgres } from '@grantlog/servers'
import pg from 'pg'
import { type Benchmark, type Figure, figure, median } from './benchmark.js'

const rounds = 5
const roundSeconds = 2
const peerName = 'one statement per append, a pool of 64'

/** What the event store's group commit gains over an append per connection, on the same durable Postgres. */
export const append: Benchmark = {
  name: 'append',
  describe:
    'events stored per second: group commit on one connection, beside an append per pooled connection',

  async run(told) {
    const folder = await mkdtemp(join(tmpdir(), 'grantlog-bench-'))
    await chmod(folder, 0o755) // as root, Postgres runs as another user
    const server = await startPostgres({ dir: join(folder, 'postgres'), persistent: false })
    try {
      await ensureDatabase(server.url('postgres'), 'bench')
      const pool = new pg.Pool({ connectionString: server.url('bench'), max: 64 })
      pool.on('error', () => undefined) // an idle connection that the server's end cuts off
      await pool.query(createEventTables)
      const store = new EventStore(pool)
      const ours = (next: Append) => store.append(next)
      const peer = (next: Append) => appendAlone(pool, next)
      const figures: Figure[] = []
      for (const [writers, atLeast] of [
        [64, 1.2],
        [16, 1],
        [1, 0.5],
      ] as const) {
        const rates: { ours: number[]; peer: number[] } = { ours: [], peer: [] }
        for (let round = 0; round < rounds; round++) {
          rates.ours.push(await rate(store, writers, ours))
          rates.peer.push(await rate(store, writers, peer))
          told(`${writers} writers, round ${round + 1} of ${rounds}`)
        }
        const measured = { ours: median(rates.ours), peer: median(rates.peer), peerName }
        figures.push(figure(`${writers} writers`, 'events/s', measured, { atLeast }))
      }
      await store.close()
      await pool.end()
      return figures
    } finally {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** Events per second that so many writers store, each waiting for its own answer. */
async function rate(
  store: EventStore,
  writers: number,
  write: (next: Append) => Promise<unknown>,
): Promise<number> {
  const began = performance.now()
  const until = began + roundSeconds * 1000
  let stored = 0
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < until) {
        await write(aFirstEvent(store))
        stored += 1
      }
    }),
  )
  return (stored * 1000) / (performance.now() - began)
}

function aFirstEvent(store: EventStore): Append {
  const clientId = randomUUID()
  const fact = { type: 'client.suspended', data: { clientId, reason: 'measured' } } as const
  return {
    streamId: `client-${clientId}`,
    base: 0,
    events: store.prepare([fact], { actor: { type: 'operator', id: 'bench' }, time: new Date() }),
    state: { suspended: true },
    stateTag: 'bench',
  }
}

/** The same rows by the strongest plain way: stream and event in one statement, one transaction each. */
async function appendAlone(pool: pg.Pool, { streamId, events, state, stateTag }: Append): Promise<void> {
  const [event] = events
  await pool.query({
    name: 'append-alone',
    text: `with stream as (
        insert into streams (stream_id, version, base, state, state_tag) values ($1, 1, 0, $2, $3)
        on conflict (stream_id) do nothing returning stream_id)
      insert into events (event_id, stream_id, stream_version, type, data, internal, actor_type, actor_id, traceparent, time)
      select $4, stream_id, 1, $5, $6, $7, $8, $9, $10, $11 from stream`,
    values: [
      streamId,
      JSON.stringify(state),
      stateTag,
      event?.id,
      event?.type,
      event?.data,
      event?.internal,
      event?.actor.type,
      event?.actor.id,
      event?.traceparent,
      event?.time,
    ],
  })
}
