import { catalogue, type EventDefinition, revocationTargets, versionsOf, wireType } from '@grantlog/contracts'
import { eventually, ownPostgres } from '@grantlog/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import { categoryOf } from './decider.js'
import { EventStore } from './event-store.js'
import { Locks } from './locks.js'
import { LogOwner } from './log-owner.js'
import { type Sequenced, sequence } from './sequencer.js'
import { aLog, anAppend, anId, type LogDatabase, numberAll } from './specs/a-log.js'

let postgres: Awaited<ReturnType<typeof ownPostgres>>
let log: LogDatabase

beforeAll(async () => {
  postgres = await ownPostgres()
})
afterAll(() => postgres?.stop())
beforeEach(async () => {
  log = await aLog('sequencer', postgres)
})
afterEach(() => log?.drop())

describe('the order of the log', () => {
  it('is dense and loses nothing under 16 concurrent writers, where a reader of positions loses some', async () => {
    const pool = log.another()
    const naive = readerOfPositions(log.another({ max: 1 }))
    const reader = await log.pool.connect()
    let writing = true
    const numbering = (async () => {
      for (let more = true; more; ) {
        more = writing
        more = (await sequence(reader)).pending || more
      }
      reader.release()
    })()
    const random = seeded(7)
    await Promise.all(
      Array.from({ length: 16 }, async (_, writer) => {
        for (let n = 0; n < 25; n++)
          await inTransaction(pool, async client => {
            for (const stream of [`own-${writer}`, `${Math.floor(random() * 1e9)}`])
              await insert(client, stream, stream.startsWith('own') ? n + 1 : 1)
            await new Promise(resolve => setTimeout(resolve, random() * 12))
          })
      }),
    )
    writing = false
    await numbering
    expect(await naive.stop()).toBeLessThan(800)

    const entries = await entriesOf(log.pool)
    expect(entries.map(entry => entry.log_seq)).toEqual(Array.from({ length: 800 }, (_, n) => n + 1))
    expect(new Set(entries.map(entry => entry.position)).size).toBe(800)
    for (let writer = 0; writer < 16; writer++) {
      const own = entries.filter(entry => entry.stream_id === `own-${writer}`)
      expect(own.map(entry => entry.stream_version)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1))
    }
    // the run was no easy one: position order is not the order in which events became visible
    expect(entries.map(entry => entry.position)).not.toEqual(
      entries.map(entry => entry.position).sort((a, b) => a - b),
    )
  })

  it('waits for an open transaction where a reader of positions loses what it commits', async () => {
    const [early, late] = [await log.pool.connect(), await log.pool.connect()]
    const reader = await log.pool.connect()
    const naive = { last: 0, seen: [] as string[] }
    const poll = async () => {
      const { rows } = await log.pool.query<{ position: string; stream_id: string }>(
        'select position, stream_id from events where position > $1 order by position',
        [naive.last],
      )
      for (const row of rows) {
        naive.last = Number(row.position)
        naive.seen.push(row.stream_id)
      }
    }
    await early.query('begin')
    await insert(early, 'drew-first') // the smaller position
    await insert(late, 'committed-first')
    await poll()
    expect(await sequence(reader)).toMatchObject({ numbered: 0, lastSeq: 0, pending: true })
    await early.query('commit')
    await poll()
    expect(await sequence(reader)).toMatchObject({ numbered: 2, lastSeq: 2, pending: false })

    expect(naive.seen).toEqual(['committed-first']) // the trap: one is lost for good
    expect((await entriesOf(log.pool)).map(entry => entry.stream_id)).toEqual([
      'drew-first',
      'committed-first',
    ])
    for (const client of [early, late, reader]) client.release()
  })

  it('numbers nothing of a transaction that is rolled back, and leaves no gap for it', async () => {
    const client = await log.pool.connect()
    await insert(client, 'a')
    await client.query('begin')
    await insert(client, 'never')
    await client.query('rollback')
    await insert(client, 'b')
    client.release()
    expect(await numberAll(log.pool)).toBe(2)
    expect((await entriesOf(log.pool)).map(entry => entry.stream_id)).toEqual(['a', 'b'])
  })

  it('says whether it numbered all there was, even when it numbered some', async () => {
    const [early, late] = [await log.pool.connect(), await log.pool.connect()]
    await insert(late, 'a')
    await early.query('begin; select pg_current_xact_id()')
    await insert(late, 'b')
    expect(await sequence(late)).toMatchObject({ numbered: 1, lastSeq: 1, pending: true })
    await early.query('commit')
    expect(await sequence(late)).toMatchObject({ numbered: 1, lastSeq: 2, pending: false })
    for (const client of [early, late]) client.release()
  })

  it('is not held up by a transaction that only reads', async () => {
    const [reader, client] = [await log.pool.connect(), await log.pool.connect()]
    await reader.query('begin isolation level repeatable read')
    await reader.query('select from events')
    await insert(client, 'a')
    expect(await sequence(client)).toMatchObject({ numbered: 1, lastSeq: 1 })
    await reader.query('rollback')
    for (const connection of [reader, client]) connection.release()
  })

  it('stays dense when two number at the same time, one of them a zombie', async () => {
    const [a, b, writer] = [await log.pool.connect(), await log.pool.connect(), await log.pool.connect()]
    const results: Sequenced[] = []
    for (let n = 0; n < 40; n++) {
      await insert(writer, `s-${n}`)
      results.push(...(await Promise.all([sequence(a), sequence(b)])))
    }
    for (const client of [a, b, writer]) client.release()
    await numberAll(log.pool)
    expect((await entriesOf(log.pool)).map(entry => entry.log_seq)).toEqual(
      Array.from({ length: 40 }, (_, n) => n + 1),
    )
    expect(results.reduce((sum, { numbered }) => sum + numbered, 0)).toBe(40)
  })
})

it('what a numbering says fits into a notification, though it were of every kind there is', () => {
  const postgresAllows = 7999 // bytes; beyond it the numbering itself would fail
  const kinds = catalogue.flatMap(entry =>
    categoriesOf(entry).flatMap(category =>
      versionsOf(entry).map(version => `${wireType(version)}:${category}`),
    ),
  )
  expect(kinds).toContain('token.revoked.v1:owner')
  expect(kinds.join(' ').length).toBeLessThan(postgresAllows / 2) // a newer build may have written as many again
})

describe('two owners of a log', () => {
  it('number one at a time, and the other goes on when the connection of the first is killed', async () => {
    const [first, second] = [anOwner(), anOwner()]
    first.owner.start()
    await eventually(() => expect(first.locks.holds('log')).toBe(true))
    second.owner.start()
    let writing = true
    const load = (async () => {
      const store = new EventStore(log.another())
      let n = 0
      while (writing) await store.append(anAppend(store, anId(), 0, undefined)).then(() => n++)
      await store.close()
      return n
    })()
    await eventually(() => expect(first.numbered()).toBeGreaterThan(5))
    expect([second.locks.holds('log'), second.numbered()]).toEqual([false, 0])

    // its process is killed: all of its connections end, and it never comes back
    const dead = first.owner.stop()
    expect(await log.kill('pg_try_advisory_lock')).toBeGreaterThan(0)
    await dead
    await eventually(() => expect(second.numbered()).toBeGreaterThan(5))
    expect(first.locks.holds('log')).toBe(false)
    writing = false
    const total = await load
    await eventually(async () =>
      expect((await entriesOf(log.pool)).map(entry => entry.log_seq)).toEqual(
        Array.from({ length: total }, (_, n) => n + 1),
      ),
    )
    await second.owner.stop()
    for (const { locks, store } of [first, second]) {
      locks.close()
      await store.close()
    }
  })

  it('an owner whose connections are killed goes on by itself', async () => {
    const { owner, store, locks, errors } = anOwner()
    owner.start()
    for (let n = 1; n <= 4; n++) {
      await eventually(() => store.append(anAppend(store, anId(), 0)))
      await eventually(async () => expect(await entriesOf(log.pool)).toHaveLength(n))
      for (const last of ['pg_try_advisory_lock', 'grantlog_', 'from sequencer']) await log.kill(last)
    }
    await eventually(() => expect(owner.health()).toEqual({ ok: true, detail: 'numbered up to 4' }))
    expect(errors.every(error => error instanceof Error)).toBe(true)
    await owner.stop()
    locks.close()
    await store.close()
  })

  it('an owner that finds a transaction left open says so, also when it has just become the owner', async () => {
    const open = await log.pool.connect()
    await open.query('begin; select pg_current_xact_id()')
    let now = new Date('2026-03-04T05:06:07Z')
    const { owner, store, locks } = anOwner(() => now)
    await store.append(anAppend(store, anId(), 0))
    owner.start()
    await eventually(() => {
      now = new Date(now.getTime() + 11_000)
      expect(owner.health()).toEqual({
        ok: false,
        detail: expect.stringMatching(/^events wait \d+ ms for a number: look for a transaction left open$/),
      })
    })
    await open.query('commit')
    open.release()
    await eventually(() => expect(owner.health()).toEqual({ ok: true, detail: 'numbered up to 1' }))
    await owner.stop()
    locks.close()
    await store.close()
  })

  function anOwner(now = () => new Date()) {
    const pool = log.another()
    const [store, locks, errors] = [new EventStore(pool), new Locks(pool), [] as unknown[]]
    const owner = new LogOwner(store, locks, {
      service: 'clients',
      report: error => void errors.push(error),
      now,
    })
    let numbered = 0
    owner.onSequenced(() => {
      numbered += 1
    })
    return { owner, store, locks, errors, numbered: () => numbered }
  }
})

/** A row as a writer of its own would insert it. */
async function insert(client: pg.ClientBase, streamId: string, version = 1): Promise<void> {
  await client.query(
    `insert into events (stream_id, stream_version, event_id, type, data, actor_type, actor_id, time)
     values ($1, $2, gen_random_uuid(), 'client.suspended.v1', '{}', 'system', 'spec', now())`,
    [streamId, version],
  )
}

async function inTransaction(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  await client.query('begin')
  await work(client)
  await client.query('commit')
  client.release()
}

async function entriesOf(pool: pg.Pool) {
  const { rows } = await pool.query<{
    log_seq: number
    position: number
    stream_id: string
    stream_version: number
  }>(
    `select l.log_seq::int, e.position::int, e.stream_id, e.stream_version
     from log l join events e using (position) order by l.log_seq`,
  )
  return rows
}

/** Mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What is often done: ask again and again for what stands behind the last position that was seen. */
function readerOfPositions(pool: pg.Pool) {
  let stopped = false
  let seen = 0
  const reading = (async () => {
    for (let last = '0'; ; ) {
      const finish = stopped
      const { rows } = await pool.query<{ position: string }>(
        'select position from events where position > $1 order by position',
        [last],
      )
      seen += rows.length
      last = rows.at(-1)?.position ?? last
      if (finish) return
    }
  })()
  return {
    /** @returns how many events it has met, in all */
    async stop(): Promise<number> {
      stopped = true
      await reading
      return seen
    },
  }
}

const categoriesOf = ({ streams }: EventDefinition) =>
  streams.flatMap(stream => (stream.startsWith('{target.kind}-') ? revocationTargets : [categoryOf(stream)]))
