import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { eventLine, MerkleRange } from '@grantlog/contracts'
import { eventually, ownPostgres } from '@grantlog/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import { Commands } from './commands.js'
import type { Decider, NewEvent } from './decider.js'
import { examine } from './doctor/doctor.js'
import { EventsDetached } from './errors.js'
import { EventStore } from './event-store.js'
import { Eventing } from './eventing.js'
import { readLog } from './log.js'
import { createProjectionTable } from './projection.js'
import { attachSegment, detachSegment, listSegments, SegmentStays } from './segments.js'
import { sequence } from './sequencer.js'
import { aLog, anAppend, anId, type LogDatabase, numberAll, operator, suspended } from './specs/a-log.js'
import { suspensions } from './specs/a-projection.js'
import { segmentSize } from './tables.js'
import { EmbeddedTransport } from './transport/embedded.js'
import type { Delivery } from './transport/transport.js'

const [longAgo, now] = [new Date('2024-01-01T00:00:00.120Z'), new Date()]
const ended = Math.floor(longAgo.getTime() / 1000)

let cluster: Awaited<ReturnType<typeof ownPostgres>>
let log: LogDatabase
let store: EventStore
let db: pg.PoolClient
let folder: string

beforeAll(async () => {
  cluster = await ownPostgres() // where no other test has a transaction open
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  log = await aLog('segments', cluster)
  store = new EventStore(log.pool)
  db = await log.pool.connect()
  folder = await mkdtemp(join(tmpdir(), 'grantlog-segments-'))
})
afterEach(async () => {
  await store.close()
  db.release(true)
  await log.drop()
  await rm(folder, { recursive: true })
})

/** Appends one event to each of some streams, of long ago. */
async function append(clients: readonly string[], base: number, endsAt: number | null = null): Promise<void> {
  for (const id of clients) {
    const fact = { ...suspended(id, `${base}`), internal: { secret: [base, 'ä'] } }
    const outcome = await store.append({ ...anAppend(store, id, base, [fact], longAgo), endsAt })
    expect(outcome).not.toBe('conflict')
  }
}

/** The next event is the first of the next segment. */
async function fill(segment: number): Promise<void> {
  await log.pool.query(`select setval('events_position', $1)`, [segment * segmentSize])
  await log.pool.query('select add_segments()')
}

const detach = () => detachSegment(db, 'clients', folder, now)
const attach = () => attachSegment(db, 'clients', folder)
const rowsOf = async (query: string) => (await log.pool.query(query)).rows
const events = () =>
  rowsOf(`select position, stream_id, stream_version, event_id, type, data::text, internal::text, actor_type, actor_id, traceparent,
    time::text, tableoid::regclass::text as segment from events order by position`)
const numbers = () => rowsOf('select * from log order by log_seq')

async function wrong() {
  const found = await examine(new Map([['clients', db]]))
  return found.filter(({ ok }) => !ok).map(({ check, what }) => `${check}: ${what}`)
}

/** Three ended streams, three that go on, one that ended in the next segment; the first segment is full. */
async function twoSegments() {
  const [over, live, spanning] = [[anId(), anId(), anId()], [anId(), anId(), anId()], [anId()]]
  await append([...over, ...live, ...spanning], 0)
  await append(over, 1, ended)
  await fill(1)
  await append(spanning, 1, ended)
  await append(live, 1)
  await numberAll(log.pool)
  return { over, live, spanning, ids: (some: readonly string[]) => some.map(id => `client-${id}`) }
}

const streamsLeft = async () =>
  (await rowsOf('select distinct stream_id from events order by 1')).map(({ stream_id }) => stream_id)

describe('detaching a segment', () => {
  it('takes the streams that have ended, as a whole, and leaves the others', async () => {
    const { over, live, spanning, ids } = await twoSegments()
    const path = await detach()
    expect(path).toBe(join(folder, 'clients-1-10.jsonl.gz'))
    expect(await streamsLeft()).toEqual(ids([...live, ...spanning]).sort())
    expect(await rowsOf('select count(*)::int from streams')).toEqual([{ count: 4 }])
    expect(await store.head(`client-${over[0]}`)).toBeUndefined()
    expect((await store.read(`client-${live[0]}`)).map(({ streamVersion }) => streamVersion)).toEqual([1, 2])
    expect((await numbers()).map(({ log_seq }) => Number(log_seq))).toEqual([11, 12, 13, 14])
    expect(await listSegments(db, 'clients')).toMatchObject([
      { number: 1, where: 'file', firstSeq: 1, lastSeq: 10, file: 'clients-1-10.jsonl.gz' },
      { number: 2, where: 'database', full: false, file: undefined },
    ])
    expect(await wrong()).toEqual([])

    await append(live, 2)
    expect(await numberAll(log.pool)).toBe(17)
    expect(await wrong()).toEqual([])
  })

  it('keeps what a state that another build folded is folded anew from', async () => {
    const { live } = await twoSegments()
    await detach()
    const counting: Decider<null, NewEvent, number> = {
      category: 'client',
      initial: 0,
      decide: () => [suspended(live[0] ?? '', 'again')],
      evolve: times => times + 1,
    }
    const commands = new Commands(store, () => now)
    expect(await commands.run(counting, live[0] ?? '', null, { actor: operator })).toMatchObject({
      state: 3,
      version: 3,
    })
  })

  it('writes every event as it is on the wire, and the range of the tree', async () => {
    await twoSegments()
    const lines = (await readLog(log.pool, 'clients', 0, 100)).map(eventLine)
    await detach()
    await append([anId()], 0)
    await fill(2)
    await append([anId()], 0)
    await numberAll(log.pool)
    await detach()
    const whole = new MerkleRange(0)
    for (const line of lines.slice(0, 14)) whole.append(line)
    const joined = (
      await rowsOf('select * from segments where detached_at is not null order by number')
    ).reduce(
      (range: MerkleRange, { first_seq, last_seq, range: hashes }) =>
        range.join(MerkleRange.of(Number(first_seq) - 1, Number(last_seq), hashes)),
      new MerkleRange(0),
    )
    expect(joined.end).toBe(15)
    const upTo14 = await readSegmentLines('clients-1-10.jsonl.gz')
    expect(upTo14.slice(0, -1).map(({ event }) => eventLine(event))).toEqual(lines.slice(0, 10))
    const second = await readSegmentLines('clients-11-15.jsonl.gz')
    whole.append(eventLine(second[4]?.event as never))
    expect(joined.root()).toEqual(whole.root())
  })

  it('refuses one that is still written to, that is too young, not published, or not numbered', async () => {
    await append([anId()], 0, ended)
    await numberAll(log.pool)
    await expect(detach()).rejects.toThrow('Segment 1 is still written to')
    await fill(1)
    await store.append(anAppend(store, anId(), 0))
    await expect(detachSegment(db, 'clients', folder, longAgo)).rejects.toThrow(
      'its newest event is of 2024-01-01T00:00:00.120Z',
    )
    await db.query(`select setval('events_position', 100)`)
    await append([anId()], 0, ended)
    await db.query(`select setval('events_position', ${segmentSize + 100})`)
    await expect(detach()).rejects.toThrow('Segment 1 holds events that have no number yet')
    await numberAll(log.pool)
    await db.query('update publisher set cursor = 1')
    await expect(detach()).rejects.toThrow(SegmentStays)
    expect(await streamsLeft()).toHaveLength(3)
  })

  it('loses nothing that is appended meanwhile, also by a transaction that drew its position long before', async () => {
    await twoSegments()
    const late = await log.pool.connect()
    await late.query('begin')
    const [straggler] = [anId()]
    await late.query(
      `insert into streams (stream_id, base, version, state, state_tag) values ('client-${straggler}', 0, 1, '{}', '')`,
    )
    await late.query(
      `insert into events (position, stream_id, stream_version, event_id, type, data, actor_type, actor_id, time)
       values (500, 'client-${straggler}', 1, gen_random_uuid(), 'client.suspended.v1', $1, 'operator', 'spec', now())`,
      [JSON.stringify({ clientId: straggler, reason: 'late' })],
    )
    let stopped = false
    const written: string[] = []
    const writer = async () => {
      while (!stopped) {
        const id = anId()
        await store.append(anAppend(store, id, 0))
        written.push(`client-${id}`)
      }
    }
    const writers = Array.from({ length: 8 }, writer)
    const detached = detach()
    await eventually(async () =>
      expect(
        await rowsOf(
          `select from pg_stat_activity where wait_event_type = 'Lock' and query like 'lock table%'`,
        ),
      ).toHaveLength(1),
    )
    await late.query('commit')
    late.release()
    await detached
    stopped = true
    await Promise.all(writers)
    await numberAll(log.pool)
    const left = new Set(await streamsLeft())
    expect([`client-${straggler}`, ...written].filter(id => !left.has(id))).toEqual([])
    const [last] = (await readLog(log.pool, 'clients', 10, 100_000)).filter(
      ({ subject }) => subject === `client-${straggler}`,
    )
    expect(last).toBeDefined()
    expect(await wrong()).toEqual([])
  })

  it('that is cut off while the partitions change places leaves all as it was, and is done again', async () => {
    await twoSegments()
    const before = { events: await events(), numbers: await numbers() }
    const blocker = await log.pool.connect()
    await blocker.query('begin; lock table events in row exclusive mode')
    const cut = detach()
    await eventually(async () => expect(await log.kill('lock table events in access exclusive%')).toBe(1))
    await expect(cut).rejects.toThrow()
    await blocker.query('rollback')
    blocker.release()
    expect({ events: await events(), numbers: await numbers() }).toEqual(before)
    db.release(true)
    db = await log.pool.connect()
    expect(await wrong()).toEqual([])
    await detach()
    expect(await wrong()).toEqual([])
  })
})

it('numbers that an interrupted detach left are of no consequence, and go with the next', async () => {
  await twoSegments()
  await detach()
  await fill(2)
  await append([anId()], 0)
  await numberAll(log.pool)
  await db.query(
    'insert into log (log_seq, position) select n, n from generate_series(1, 10) n on conflict do nothing',
  )
  expect(await wrong()).toEqual([])
  await expect(readLog(log.pool, 'clients', 0, 100)).rejects.toThrow(EventsDetached)
  await detach()
  expect((await numbers()).map(({ log_seq }) => Number(log_seq))).toEqual([15])
})

describe('attaching it again', () => {
  it('brings every event back, byte for byte, with its number', async () => {
    const { over } = await twoSegments()
    const before = { events: await events(), numbers: await numbers() }
    await detach()
    expect(await attach()).toEqual({ firstSeq: 1, lastSeq: 10 })
    expect({ events: await events(), numbers: await numbers() }).toEqual(before)
    expect(await wrong()).toEqual([])
    expect(await store.head(`client-${over[0]}`)).toMatchObject({ version: 2, stateTag: '' })
    await expect(attach()).rejects.toThrow('No segment of clients is detached.')
    await detach()
    expect((await streamsLeft()).length).toBe(4)
  })

  it('goes backwards from the newest, and a stream comes back when it is whole', async () => {
    const { spanning } = await twoSegments()
    await fill(2)
    await append([anId()], 0)
    await numberAll(log.pool)
    const before = { events: await events(), numbers: await numbers() }
    await detach()
    await detach()
    expect(await streamsLeft()).not.toContain(`client-${spanning[0]}`)
    expect(await wrong()).toEqual([])
    await attach()
    expect(await store.head(`client-${spanning[0]}`)).toBeUndefined()
    expect(await wrong()).toEqual([])
    await attach()
    expect(await store.head(`client-${spanning[0]}`)).toMatchObject({ version: 2 })
    expect({ events: await events(), numbers: await numbers() }).toEqual(before)
    expect(await wrong()).toEqual([])
  })

  it('refuses a file that is not the one that was written, or whose events are not what it states', async () => {
    await twoSegments()
    const path = await detach()
    const written = await readFile(path)
    const forged = gzipSync(gunzipSync(written).toString().replace('"reason":"1"', '"reason":"2"'))
    await writeFile(path, forged)
    await expect(attach()).rejects.toThrow('its SHA-256 is another one')
    const { createHash } = await import('node:crypto')
    await db.query('update segments set sha256 = $1 where number = 1', [
      createHash('sha256').update(forged).digest('hex'),
    ])
    await expect(attach()).rejects.toThrow('its events are not those that its summary tells')
    await rm(path)
    await expect(attach()).rejects.toThrow('no such file')
    expect(await wrong()).toEqual([])
  })
})

describe('readers of a log whose beginning is in a file', () => {
  async function follow(
    begin: { lastSeq: Partial<Record<'clients', number>>; nextOffset: null } | { at: Date },
  ) {
    const got: Delivery[] = []
    const trouble: unknown[] = []
    const subscription = await new EmbeddedTransport({ clients: log.pool }).subscribe({
      name: 'spec',
      topics: ['clients', 'revocations'],
      begin: () => begin,
      deliver: async delivery => void got.push(delivery),
      trouble: error => void trouble.push(error),
    })
    return { got, trouble, subscription }
  }

  it('are told, and never given a part', async () => {
    await twoSegments()
    await detach()
    await expect(readLog(log.pool, 'clients', 0, 100)).rejects.toThrow(EventsDetached)
    await expect(readLog(log.pool, 'clients', 9, 100)).rejects.toThrow('up to 10 are detached to files')
    expect(await readLog(log.pool, 'clients', 10, 100)).toHaveLength(4)
    for (const begin of [{ lastSeq: {}, nextOffset: null }, { at: new Date(longAgo.getTime() - 1) }]) {
      const { got, trouble, subscription } = await follow(begin)
      await eventually(() => expect(trouble[0]).toBeInstanceOf(EventsDetached))
      expect(got).toEqual([])
      await subscription.stop()
    }
  })

  it('go on where they were, however quiet their partitions', async () => {
    await twoSegments()
    const projection = suspensions()
    await log.pool.query(createProjectionTable(projection))
    const service = () => {
      const eventing = new Eventing({
        pool: log.pool,
        service: undefined,
        projections: [projection],
        remote: new EmbeddedTransport({ clients: log.pool }),
        report: () => undefined,
        now: () => new Date(),
      })
      eventing.start()
      return eventing
    }
    const first = service()
    await eventually(() => expect(first.status()).toMatchObject([{ caughtUp: true }]))
    await first.stop()
    await detach()
    const id = anId()
    await append([id], 0)
    await numberAll(log.pool)
    const second = service()
    await eventually(async () =>
      expect(await rowsOf(`select from suspensions where client_id = '${id}'`)).toHaveLength(1),
    )
    expect(second.status()).toMatchObject([{ trouble: undefined }])
    await second.stop()
  })
})

it('whoever owns the log adds a segment before the last one is begun', async () => {
  const eventing = new Eventing({
    pool: log.pool,
    service: 'clients',
    projections: [],
    remote: new EmbeddedTransport({}),
    report: () => undefined,
    now: () => new Date(),
  })
  await db.query(`select setval('events_position', ${2 * segmentSize - 1})`)
  expect(await wrong()).toEqual([`log: there is room for 2 more events`])
  eventing.start()
  await eventually(async () => expect(await listSegments(db, 'clients')).toHaveLength(3))
  expect(await wrong()).toEqual([])
  await append([anId(), anId(), anId()], 0)
  await eventually(async () => expect(await numbers()).toHaveLength(3))
  await eventing.stop()
  expect((await sequence(db)).lastSeq).toBe(3)
})

async function readSegmentLines(name: string): Promise<{ event: Parameters<typeof eventLine>[0] }[]> {
  const text = gunzipSync(await readFile(join(folder, name))).toString()
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}
