import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { eventLine, MerkleRange } from '@grantlog/contracts'
import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import { Commands } from './commands.js'
import type { Decider, NewEvent } from './decider.js'
import { examine } from './doctor/doctor.js'
import { EventsDetached } from './errors.js'
import { EventStore } from './event-store.js'
import { Eventing } from './eventing.js'
import { lastSeqOf, readLog } from './log.js'
import { createProjectionTable } from './projection.js'
import { attachSegment, detachSegment, listSegments, SegmentStays } from './segments.js'
import { aLog, anAppend, anId, type LogDatabase, operator, suspended } from './specs/a-log.js'
import { suspensions } from './specs/a-projection.js'
import { EmbeddedTransport } from './transport/embedded.js'
import type { Delivery } from './transport/transport.js'

const [longAgo, now] = [new Date('2024-01-01T00:00:00.120Z'), new Date()]
const ended = Math.floor(longAgo.getTime() / 1000)

const segment = 10
let log: LogDatabase
let store: EventStore
let db: pg.PoolClient
let folder: string

beforeEach(async () => {
  log = await aLog('segments', { segment })
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
    await log.pool.query('select add_segments()') // which a service does every ten seconds
    const fact = { ...suspended(id, `${base}`), internal: { secret: [base, 'ä'] } }
    const outcome = await store.append({ ...anAppend(store, id, base, [fact], longAgo), endsAt })
    expect(outcome).not.toBe('conflict')
  }
}

/** Appends what has ended, until the next event is the first of the next segment. */
async function fill(): Promise<void> {
  while ((await lastSeqOf(log.pool)) % segment > 0) await append([anId()], 0, ended)
}

const detach = () => detachSegment(db, 'clients', folder, now)
const attach = () => attachSegment(db, 'clients', folder)
const rowsOf = async (query: string) => (await log.pool.query(query)).rows
const events = () =>
  rowsOf(`select log_seq, stream_id, stream_version, event_id, type, data::text, internal::text, actor_type, actor_id, traceparent,
    time::text, tableoid::regclass::text as segment from events order by log_seq`)

async function wrong() {
  const found = await examine(new Map([['clients', db]]))
  return found.filter(({ ok }) => !ok).map(({ check, what }) => `${check}: ${what}`)
}

/** Three ended streams, three that go on, one that ended in the next segment; the first segment is full. */
async function twoSegments() {
  const [over, live, spanning] = [[anId(), anId(), anId()], [anId(), anId(), anId()], [anId()]]
  await append([...over, ...live, ...spanning], 0)
  await append(over, 1, ended)
  await append(spanning, 1, ended)
  await append(live, 1)
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
    expect((await readLog(log.pool, 'clients', 10, 100)).map(({ logseq }) => logseq)).toEqual([
      11, 12, 13, 14,
    ])
    expect(await listSegments(db, 'clients')).toMatchObject([
      { number: 1, where: 'file', firstSeq: 1, lastSeq: 10, file: 'clients-1-10.jsonl.gz' },
      { number: 2, where: 'database', full: false, file: undefined },
      { number: 3, where: 'database' },
    ])
    expect(await wrong()).toEqual([])

    await append(live, 2)
    expect(await lastSeqOf(log.pool)).toBe(17)
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
    await append([anId()], 0)
    await fill()
    const lines = (await readLog(log.pool, 'clients', 0, 100)).map(eventLine)
    await detach()
    await detach()
    const whole = new MerkleRange(0)
    for (const line of lines) whole.append(line)
    const joined = (
      await rowsOf('select * from segments where detached_at is not null order by number')
    ).reduce(
      (range: MerkleRange, { first_seq, last_seq, range: hashes }) =>
        range.join(MerkleRange.of(Number(first_seq) - 1, Number(last_seq), hashes)),
      new MerkleRange(0),
    )
    expect(joined.end).toBe(20)
    for (const [file, from] of [
      ['clients-1-10.jsonl.gz', 0],
      ['clients-11-20.jsonl.gz', 10],
    ] as const) {
      const read = await readSegmentLines(file)
      expect(read.slice(0, -1).map(({ event }) => eventLine(event))).toEqual(lines.slice(from, from + 10))
    }
    expect(joined.root()).toEqual(whole.root())
  })

  it('reads numbers that have come further than 32 bits', async () => {
    await log.pool.query(
      'update segments set first_seq = first_seq + 3e9, last_seq = last_seq + 3e9; update publisher set cursor = 3e9',
    )
    await expect(detach()).rejects.toThrow('Segment 1 is still written to')
  })

  it('refuses one that is still written to, that is too young, or not published', async () => {
    await append([anId()], 0, ended)
    await expect(detach()).rejects.toThrow('Segment 1 is still written to')
    await fill()
    await expect(detachSegment(db, 'clients', folder, longAgo)).rejects.toThrow(
      'its newest event is of 2024-01-01T00:00:00.120Z',
    )
    await db.query('update publisher set cursor = 1')
    await expect(detach()).rejects.toThrow(SegmentStays)
    expect(await streamsLeft()).toHaveLength(10)
  })

  it('loses nothing that is appended meanwhile, also by an append that waits behind it', async () => {
    const { live } = await twoSegments()
    const late = await log.pool.connect()
    await late.query('begin; update log_end set last_seq = last_seq') // an append that does not come to its end
    let stopped = false
    const written: string[] = []
    const writer = async () => {
      while (!stopped && written.length < 6) {
        const id = anId()
        await store.append(anAppend(store, id, 0))
        written.push(`client-${id}`)
      }
    }
    const writers = Array.from({ length: 8 }, writer)
    const gone = store.append(anAppend(store, live[0] ?? '', 2))
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
    await Promise.all([...writers, gone])
    const left = new Set(await streamsLeft())
    expect(written.filter(id => !left.has(id))).toEqual([])
    expect(await readLog(log.pool, 'clients', 10, 100_000)).toHaveLength(4 + 1 + written.length)
    await log.pool.query('select add_segments()')
    expect(await wrong()).toEqual([])
  })

  it('that is cut off while the partitions change places leaves all as it was, and is done again', async () => {
    await twoSegments()
    const before = await events()
    const blocker = await log.pool.connect()
    await blocker.query('begin; lock table events in row exclusive mode')
    const cut = detach()
    await eventually(async () => expect(await log.kill('lock table events in access exclusive%')).toBe(1))
    await expect(cut).rejects.toThrow()
    await blocker.query('rollback')
    blocker.release()
    expect(await events()).toEqual(before)
    db.release(true)
    db = await log.pool.connect()
    expect(await wrong()).toEqual([])
    await detach()
    expect(await wrong()).toEqual([])
  })
})

describe('attaching it again', () => {
  it('brings every event back, byte for byte, with its number', async () => {
    const { over } = await twoSegments()
    const before = await events()
    await detach()
    expect(await attach()).toEqual({ firstSeq: 1, lastSeq: 10 })
    expect(await events()).toEqual(before)
    expect(await wrong()).toEqual([])
    expect(await store.head(`client-${over[0]}`)).toMatchObject({ version: 2, stateTag: '' })
    await expect(attach()).rejects.toThrow('No segment of clients is detached.')
    await detach()
    expect((await streamsLeft()).length).toBe(4)
  })

  it('goes backwards from the newest, and a stream comes back when it is whole', async () => {
    const { spanning } = await twoSegments()
    await fill()
    await append([anId()], 0)
    const before = await events()
    await detach()
    await detach()
    expect(await streamsLeft()).not.toContain(`client-${spanning[0]}`)
    expect(await wrong()).toEqual([])
    await attach()
    expect(await store.head(`client-${spanning[0]}`)).toBeUndefined()
    expect(await wrong()).toEqual([])
    await attach()
    expect(await store.head(`client-${spanning[0]}`)).toMatchObject({ version: 2 })
    expect(await events()).toEqual(before)
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
  const appendSome = async (count: number) => {
    for (let n = 0; n < count; n++) await store.append(anAppend(store, anId(), 0))
  }
  await appendSome(2 * segment - 2)
  expect(await wrong()).toEqual([`log: there is room for 2 more events`])
  eventing.start()
  await eventually(async () => expect(await listSegments(db, 'clients')).toHaveLength(3))
  expect(await wrong()).toEqual([])
  await appendSome(3)
  expect(await lastSeqOf(log.pool)).toBe(2 * segment + 1)
  await eventing.stop()
})

async function readSegmentLines(name: string): Promise<{ event: Parameters<typeof eventLine>[0] }[]> {
  const text = gunzipSync(await readFile(join(folder, name))).toString()
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}
