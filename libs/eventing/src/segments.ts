import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, type Service } from '@grantlog/contracts'
import type pg from 'pg'
import { eventTopics, topicOf } from './event-types.js'
import { envelopeOf, type LogRow, readRows } from './log.js'
import { partitionOf } from './partition.js'
import { type ArchivedEvent, digestOf, readSegmentFile, writeSegmentFile } from './segment-file.js'

/** A stretch of the log: a partition of `events`, or a file. */
export interface Segment {
  readonly number: number
  readonly where: 'database' | 'file'
  /** Whether all of its numbers are taken. */
  readonly full: boolean
  readonly firstSeq: number
  readonly lastSeq: number
  /** The name of its file, where it is in one. */
  readonly file: string | undefined
}

/** Nothing was done, and why. */
export class SegmentStays extends Error {
  override readonly name = 'SegmentStays'
}

const pageSize = 5000

/** All segments, oldest first. */
export async function listSegments(db: pg.ClientBase, service: Service): Promise<Segment[]> {
  const { rows } = await db.query<SegmentRow & { full: boolean }>(
    'select s.*, s.last_seq <= l.last_seq as full from segments s, log_end l order by number',
  )
  return rows.map(row => {
    const [firstSeq, lastSeq] = [Number(row.first_seq), Number(row.last_seq)]
    return {
      number: row.number,
      where: row.detached_at ? 'file' : 'database',
      full: row.full,
      firstSeq,
      lastSeq,
      file: row.detached_at ? fileName(service, firstSeq, lastSeq) : undefined,
    }
  })
}

/**
 * Detaches the oldest segment to a file: its events leave the database, but for those of streams that have not ended, which stay
 * as a whole. Nothing is removed before the file is on the disk and was read again. Services go on; what they append waits while the
 * partitions change places.
 * @param before older than this must be its events, and the ends of the streams that leave
 * @returns the path of the file
 * @throws SegmentStays when there is none, or it is not full, too young, or not published yet
 */
export function detachSegment(
  db: pg.ClientBase,
  service: Service,
  folder: string,
  before: Date,
): Promise<string> {
  return alone(db, async () => {
    const { number, firstSeq, lastSeq, newest } = await oldest(db, before)
    const path = join(folder, fileName(service, firstSeq, lastSeq))
    await mkdir(folder, { recursive: true })
    const heads = new Map<string, number>()
    const { summary, sha256 } = await writeSegmentFile(
      path,
      service,
      firstSeq - 1,
      archived(db, service, firstSeq - 1, lastSeq, heads),
    )
    const again = await readToEnd(path)
    if (canonicalJson(again) !== canonicalJson(summary))
      throw new Error(`${path} does not read as it was written`)
    await prepareDetach(db, lastSeq, before)
    await swap(db, async () => {
      await db.query(`
        with stays as (
          delete from leaving l using streams s where s.stream_id = l.stream_id and s.version <> l.version returning l.stream_id
        )
        insert into events_kept_next select e.* from events e join stays using (stream_id) where e.log_seq <= ${lastSeq}`)
      await db.query(`
        alter table events detach partition events_kept;
        alter table events detach partition events_${number};
        drop table events_kept, events_${number};
        alter table events_kept_next rename to events_kept;
        alter table events attach partition events_kept for values from (minvalue) to (${lastSeq + 1});
        delete from streams s using leaving l where s.stream_id = l.stream_id`)
      await db.query(
        `update segments set range = $2, heads = $3, newest = $4, sha256 = $5, detached_at = now() where number = $1`,
        [number, JSON.stringify(summary.range), Object.fromEntries(heads), newest, sha256],
      )
      await db.query('update log_end set detached_up_to = $1', [lastSeq])
    })
    return path
  })
}

/**
 * Attaches the segment again that was detached last, so that its events can be read from the log. Streams that left with it come
 * back once all of their events are there.
 * @returns its events by their numbers
 * @throws SegmentStays when none is detached; Error when the file is not the one that was written
 */
export function attachSegment(
  db: pg.ClientBase,
  service: Service,
  folder: string,
): Promise<{ firstSeq: number; lastSeq: number }> {
  return alone(db, async () => {
    const { rows } = await db.query<SegmentRow>(
      'select * from segments where detached_at is not null order by number desc limit 1',
    )
    const [row] = rows
    if (row === undefined) throw new SegmentStays(`No segment of ${service} is detached.`)
    const { number } = row
    const [firstSeq, lastSeq] = [Number(row.first_seq), Number(row.last_seq)]
    const path = join(folder, fileName(service, firstSeq, lastSeq))
    if ((await digestOf(path)) !== row.sha256)
      throw new Error(`${path} is not the file that was written: its SHA-256 is another one`)
    await prepareAttach(db, number, firstSeq, lastSeq)
    for await (const page of pagesOf(readSegmentFile(path))) await load(db, `events_${number}`, page)
    await swap(db, async () => {
      await db.query(`
        alter table events detach partition events_kept;
        drop table events_kept;
        alter table events_kept_next rename to events_kept;
        alter table events attach partition events_kept for values from (minvalue) to (${firstSeq});
        alter table events attach partition events_${number} for values from (${firstSeq}) to (${lastSeq + 1});
        insert into streams (stream_id, base, version, state, state_tag, ends_at)
        select e.stream_id, max(e.stream_version) - 1, max(e.stream_version), '{}', '', 0 from events e
        where e.stream_id in (select stream_id from events_${number} union select stream_id from events_kept)
          and not exists (select from streams s where s.stream_id = e.stream_id)
        group by e.stream_id having count(*) = max(e.stream_version);
        update segments set range = null, heads = null, newest = null, sha256 = null, detached_at = null where number = ${number}`)
      await db.query('update log_end set detached_up_to = $1', [firstSeq - 1])
    })
    return { firstSeq, lastSeq }
  })
}

interface SegmentRow {
  number: number
  first_seq: string
  last_seq: string
  sha256: string | null
  detached_at: Date | null
}

const fileName = (service: Service, first: number, last: number) => `${service}-${first}-${last}.jsonl.gz`

/** One at a time changes the segments of a log. */
async function alone<T>(db: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  const lock = `hashtextextended('segments', 0)`
  const { rows } = await db.query<{ got: boolean }>(`select pg_try_advisory_lock(${lock}) as got`)
  if (rows[0]?.got !== true)
    throw new SegmentStays('Somebody else is detaching or attaching a segment of this log.')
  return work().finally(() => db.query(`select pg_advisory_unlock(${lock})`).catch(() => undefined))
}

/** The segment that can be detached next. */
async function oldest(db: pg.ClientBase, before: Date) {
  const { rows } = await db.query<{
    number: number
    first: number
    last: number
    full: boolean
    cursor: number
    newest: Date | null
  }>(`
    select s.number, s.first_seq::float8 as first, s.last_seq::float8 as last, s.last_seq <= l.last_seq as full,
      p.cursor::float8,
      (select max(e.time) from events e where e.log_seq >= s.first_seq and e.log_seq <= s.last_seq) as newest
    from segments s, log_end l, publisher p where s.detached_at is null order by s.number limit 1`)
  const [found] = rows
  if (found === undefined || !found.full || found.newest === null)
    throw new SegmentStays(
      `Segment ${found?.number ?? 1} is still written to: one is detached when all of its numbers are taken.`,
    )
  const { number, first: firstSeq, last: lastSeq, cursor, newest } = found
  if (newest >= before)
    throw new SegmentStays(`Segment ${number} stays: its newest event is of ${newest.toISOString()}.`)
  // where nothing was ever published, services read the log itself
  if (cursor > 0 && cursor < lastSeq)
    throw new SegmentStays(`Segment ${number} is published up to ${cursor} of ${lastSeq}.`)
  return { number, firstSeq, lastSeq, newest }
}

type ArchivedRow = LogRow & { readonly internal: object | null }

/** The events between two numbers. @param heads gets the last number of each `topic:partition` */
async function* archived(
  db: pg.ClientBase,
  service: Service,
  after: number,
  upTo: number,
  heads: Map<string, number>,
): AsyncGenerator<ArchivedEvent[]> {
  const known = await eventTopics(db)
  for (let last = after; last < upTo; ) {
    const rows = await readRows<ArchivedRow>(db, service, last, Math.min(pageSize, upTo - last), ['internal'])
    const events = rows.map(row => ({ event: envelopeOf(row, service), internal: row.internal }))
    for (const { event } of events) {
      const topic = topicOf(known, event.type)
      heads.set(`${topic}:${partitionOf(topic, event.subject)}`, event.logseq)
    }
    if (events.length === 0) throw new Error(`The log has no event ${last + 1}: run grantlog doctor`)
    last += events.length
    yield events
  }
}

async function readToEnd(path: string) {
  const reading = readSegmentFile(path)
  for (;;) {
    const { done, value } = await reading.next()
    if (done) return value
  }
}

/**
 * What stays when the events up to a number leave, in a table beside: those of streams that have not ended, or that have others
 * behind. `leaving` holds the streams that go.
 */
async function prepareDetach(db: pg.ClientBase, lastSeq: number, before: Date): Promise<void> {
  await createKept(db, lastSeq)
  await db.query('create temp table leaving (stream_id text primary key, version integer not null)')
  await db.query(
    `insert into leaving
     select s.stream_id, s.version from streams s
     where s.ends_at <= extract(epoch from $1::timestamptz)
       and exists (select from events e where e.stream_id = s.stream_id and e.log_seq <= ${lastSeq})
       and not exists (select from events e where e.stream_id = s.stream_id and e.log_seq > ${lastSeq})`,
    [before],
  )
  // an event without a stream's row came back with a segment, and its stream not as a whole
  await db.query(`
    insert into events_kept_next
    select e.* from events e where e.log_seq <= ${lastSeq} and not exists (select from leaving l where l.stream_id = e.stream_id)
      and exists (select from streams s where s.stream_id = e.stream_id);
    analyze events_kept_next`)
}

async function prepareAttach(
  db: pg.ClientBase,
  number: number,
  firstSeq: number,
  lastSeq: number,
): Promise<void> {
  await createKept(db, firstSeq - 1)
  await db.query(`
    drop table if exists events_${number};
    create table events_${number} (
      like events including defaults including indexes, check (log_seq >= ${firstSeq} and log_seq <= ${lastSeq})
    );
    create unique index on events_${number} (stream_id, stream_version);
    insert into events_kept_next select * from events where log_seq < ${firstSeq};
    insert into events_${number} select * from events where log_seq >= ${firstSeq} and log_seq <= ${lastSeq}`)
}

/** With the check, attaching it need not look at its rows. */
async function createKept(db: pg.ClientBase, lastSeq: number): Promise<void> {
  await db.query(`
    drop table if exists events_kept_next, pg_temp.leaving;
    create table events_kept_next (like events including defaults including indexes, check (log_seq <= ${lastSeq}));
    create unique index on events_kept_next (stream_id, stream_version)`)
}

/**
 * The partitions change places in one transaction. Whoever appends waits behind its lock, for half a second at most while it is not had.
 * @throws SegmentStays when somebody has read the log for too long
 */
async function swap(db: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await db.query(`begin; set local lock_timeout = '500ms'`)
      await db.query('lock table events in access exclusive mode')
      await work()
      await db.query('commit')
      return
    } catch (error) {
      await db.query('rollback').catch(() => undefined) // a broken connection has rolled back already
      if (!(error instanceof Error && 'code' in error && error.code === lockNotAvailable)) throw error
      if (attempt === maxLockAttempts)
        throw new SegmentStays(
          'Somebody reads or writes the log in one long transaction: try again when it has ended.',
        )
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }
}

const lockNotAvailable = '55P03'
const maxLockAttempts = 60

async function* pagesOf(events: AsyncGenerator<ArchivedEvent, unknown>): AsyncGenerator<ArchivedEvent[]> {
  let page: ArchivedEvent[] = []
  for await (const event of events) {
    page.push(event)
    if (page.length === pageSize) {
      yield page
      page = []
    }
  }
  if (page.length > 0) yield page
}

/** Writes events back, but for those that never left. */
async function load(db: pg.ClientBase, table: string, page: readonly ArchivedEvent[]): Promise<void> {
  await db.query(
    `insert into ${table} (log_seq, stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id, traceparent, time)
     select (r->'event'->>'logseq')::bigint, r->'event'->>'subject', (r->'event'->>'streamversion')::int,
       (r->'event'->>'id')::uuid, r->'event'->>'type', r->'event'->'data',
       case when r->>'internal' is not null then r->'internal' end,
       r->'event'->>'authtype', r->'event'->>'authid', r->'event'->>'traceparent', (r->'event'->>'time')::timestamptz
     from json_array_elements($1) as r
     on conflict (log_seq) do nothing`,
    [JSON.stringify(page)],
  )
}
