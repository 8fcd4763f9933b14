import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, type Service } from '@grantlog/contracts'
import type pg from 'pg'
import { eventTopics, topicOf } from './event-types.js'
import { envelopeOf, type LogRow, readRows } from './log.js'
import { partitionOf } from './partition.js'
import { type ArchivedEvent, digestOf, readSegmentFile, writeSegmentFile } from './segment-file.js'
import { segmentSize } from './tables.js'

/** A stretch of the log by positions: a partition of `events`, or a file. */
export interface Segment {
  readonly number: number
  readonly where: 'database' | 'file'
  /** Whether the next one is written already. */
  readonly full: boolean
  /** Of one in a file: its events by their numbers, and the file’s name. */
  readonly firstSeq: number | undefined
  readonly lastSeq: number | undefined
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
    'select s.*, s.next_position <= p.last_value as full from segments s, events_position p order by number',
  )
  return rows.map(row => {
    const [firstSeq, lastSeq] = row.detached_at ? [Number(row.first_seq), Number(row.last_seq)] : []
    const file = firstSeq && lastSeq ? fileName(service, firstSeq, lastSeq) : undefined
    return {
      number: row.number,
      where: row.detached_at ? 'file' : 'database',
      full: row.full,
      firstSeq,
      lastSeq,
      file,
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
    await dropNumbers(db) // of one that was detached, and then interrupted
    const { number, after, upTo, next, newest } = await oldest(db, before)
    const path = join(folder, fileName(service, after + 1, upTo))
    await mkdir(folder, { recursive: true })
    const heads = new Map<string, number>()
    const { summary, sha256 } = await writeSegmentFile(
      path,
      service,
      after,
      archived(db, service, after, upTo, heads),
    )
    const again = await readToEnd(path)
    if (canonicalJson(again) !== canonicalJson(summary))
      throw new Error(`${path} does not read as it was written`)
    const seenBelow = await prepareDetach(db, next, upTo, before)
    await swap(db, async () => {
      await db.query(`
          with stays as (
            delete from leaving l using streams s where s.stream_id = l.stream_id and s.version <> l.version returning l.stream_id
          )
          ${keep(upTo)} join stays using (stream_id) where e.position < ${next} on conflict (position) do nothing`)
      // committed since: they have no number yet, or a later one
      await db.query(
        `${keep(upTo)} where e.position < ${next} and e.xid >= $1 on conflict (position) do nothing`,
        [seenBelow],
      )
      await db.query(`
          alter table events detach partition events_kept;
          alter table events detach partition events_${number};
          drop table events_kept, events_${number};
          alter table events_kept_next rename to events_kept;
          alter table events attach partition events_kept for values from (minvalue) to (${next});
          delete from streams s using leaving l where s.stream_id = l.stream_id`)
      await db.query(
        `update segments set first_seq = $2, last_seq = $3, range = $4, heads = $5, newest = $6, sha256 = $7, detached_at = now()
           where number = $1`,
        [number, after + 1, upTo, JSON.stringify(summary.range), Object.fromEntries(heads), newest, sha256],
      )
      await db.query('update sequencer set detached_up_to = $1', [upTo])
    })
    await dropNumbers(db)
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
    const { number, first_position: first, next_position: next } = row
    const [firstSeq, lastSeq] = [Number(row.first_seq), Number(row.last_seq)]
    const path = join(folder, fileName(service, firstSeq, lastSeq))
    if ((await digestOf(path)) !== row.sha256)
      throw new Error(`${path} is not the file that was written: its SHA-256 is another one`)
    await prepareAttach(db, number, first, next)
    const reading = readSegmentFile(path)
    for await (const page of pagesOf(reading)) await load(db, `events_${number}`, first, page)
    await swap(db, async () => {
      await db.query(`
        alter table events detach partition events_kept;
        drop table events_kept;
        alter table events_kept_next rename to events_kept;
        alter table events attach partition events_kept for values from (minvalue) to (${first});
        alter table events attach partition events_${number} for values from (${first}) to (${next});
        insert into streams (stream_id, base, version, state, state_tag, ends_at)
        select e.stream_id, max(e.stream_version) - 1, max(e.stream_version), '{}', '', 0 from events e
        where e.stream_id in (select stream_id from events_${number} union select stream_id from events_kept)
          and not exists (select from streams s where s.stream_id = e.stream_id)
        group by e.stream_id having count(*) = max(e.stream_version);
        update segments set first_seq = null, last_seq = null, range = null, heads = null, newest = null, sha256 = null,
          detached_at = null where number = ${number}`)
      await db.query('update sequencer set detached_up_to = $1', [firstSeq - 1])
    })
    return { firstSeq, lastSeq }
  })
}

interface SegmentRow {
  number: number
  first_position: string
  next_position: string
  first_seq: string | null
  last_seq: string | null
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
    next: string
    full: boolean
    after: number
    up_to: number
    cursor: number
    unnumbered: boolean
    newest: Date | null
  }>(`
    with found as (
      select s.number, s.next_position, p.last_value >= s.next_position as full, q.detached_up_to as after, q.numbered_below,
        q.restored_up_to, coalesce((select min(log_seq) from log where position >= s.next_position), q.last_seq + 1) - 1 as up_to
      from segments s, sequencer q, events_position p where s.detached_at is null order by s.number limit 1
    )
    select f.number, f.next_position as next, f.full, f.after::int, f.up_to::int, publisher.cursor::int,
      exists (
        select from events e where e.xid >= f.numbered_below and e.position < f.next_position and e.position > f.restored_up_to
      ) as unnumbered,
      (select max(e.time) from log l join events e using (position) where l.log_seq > f.after and l.log_seq <= f.up_to) as newest
    from found f, publisher`)
  const [found] = rows
  if (found === undefined || !found.full)
    throw new SegmentStays(
      `Segment ${found?.number ?? 1} is still written to: one is detached when ${segmentSize} positions are used up.`,
    )
  const { number, next, after, up_to: upTo, cursor, unnumbered, newest } = found
  if (unnumbered || newest === null)
    throw new SegmentStays(`Segment ${number} holds events that have no number yet.`)
  if (newest >= before)
    throw new SegmentStays(`Segment ${number} stays: its newest event is of ${newest.toISOString()}.`)
  // where nothing was ever published, services read the log itself
  if (cursor > 0 && cursor < upTo)
    throw new SegmentStays(`Segment ${number} is published up to ${cursor} of ${upTo}.`)
  return { number, next, after, upTo, newest }
}

type ArchivedRow = LogRow & { readonly position: string; readonly internal: object | null }

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
    const rows = await readRows<ArchivedRow>(db, service, last, Math.min(pageSize, upTo - last), [
      'position',
      'internal',
    ])
    const events = rows.map(row => ({
      event: envelopeOf(row, service),
      internal: row.internal,
      position: Number(row.position),
    }))
    for (const { event } of events) {
      const topic = topicOf(known, event.type)
      heads.set(`${topic}:${partitionOf(topic, event.subject)}`, event.logseq)
    }
    if (events.length === 0) throw new Error(`The log has no event ${last + 1}: run grantlog doctor`)
    last += events.length
    yield events
  }
}

/** Takes the numbers of what is in files out of the log. */
async function dropNumbers(db: pg.ClientBase): Promise<void> {
  await db.query('delete from log where log_seq <= (select detached_up_to from sequencer)')
}

async function readToEnd(path: string) {
  const reading = readSegmentFile(path)
  for (;;) {
    const { done, value } = await reading.next()
    if (done) return value
  }
}

/**
 * What stays when the positions before `next` leave, in a table beside: the events of streams that have not ended, or that have
 * others behind. `leaving` holds the streams that go.
 * @returns the transaction id below which all has been seen
 */
async function prepareDetach(db: pg.ClientBase, next: string, upTo: number, before: Date): Promise<string> {
  const { rows } = await db.query<{ xmin: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as xmin',
  )
  await createKept(db, next)
  await db.query('create temp table leaving (stream_id text primary key, version integer not null)')
  await db.query(
    `insert into leaving
     select s.stream_id, s.version from streams s
     where s.ends_at <= extract(epoch from $1::timestamptz)
       and exists (select from events e where e.stream_id = s.stream_id and e.position < ${next})
       and not exists (select from events e where e.stream_id = s.stream_id and e.position >= ${next})
       and not exists (
         select from events e join log l using (position) where e.stream_id = s.stream_id and e.position < ${next} and l.log_seq > $2
       )`,
    [before, upTo],
  )
  // an event without a stream's row came back with a segment, and its stream not as a whole
  await db.query(`
    ${keep(upTo)} where e.position < ${next} and not exists (select from leaving l where l.stream_id = e.stream_id)
      and exists (select from streams s where s.stream_id = e.stream_id);
    analyze events_kept_next`)
  return rows[0]?.xmin ?? '0'
}

/** SQL, up to its `where`. A transaction id of 0 says of an event without a number here that its number is in a file. */
const keep = (upTo: number) => `
  insert into events_kept_next
  select e.position, case when l.log_seq <= ${upTo} then '0' else e.xid end, e.stream_id, e.stream_version, e.event_id, e.type, e.data,
    e.internal, e.actor_type, e.actor_id, e.traceparent, e.time
  from events e left join log l using (position)`

async function prepareAttach(db: pg.ClientBase, number: number, first: string, next: string): Promise<void> {
  await createKept(db, first)
  await db.query(`
    drop table if exists events_${number};
    create table events_${number} (
      like events including defaults including indexes, check (position >= ${first} and position < ${next})
    );
    create unique index on events_${number} (stream_id, stream_version);
    insert into events_kept_next select * from events where position < ${first};
    insert into events_${number} select * from events where position >= ${first} and position < ${next}`)
}

/** With the check, attaching it need not look at its rows. */
async function createKept(db: pg.ClientBase, next: string): Promise<void> {
  await db.query(`
    drop table if exists events_kept_next, pg_temp.leaving;
    create table events_kept_next (like events including defaults including indexes, check (position < ${next}));
    create unique index on events_kept_next (stream_id, stream_version)`)
}

/**
 * The partitions change places in one transaction. Its locks are taken in the sequencer's order; whoever appends waits behind them,
 * for half a second at most while they are not had.
 * @throws SegmentStays when somebody has read the log for too long
 */
async function swap(db: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await db.query(`begin; set local lock_timeout = '500ms'; select from sequencer for update`)
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

/** Writes events back, and their numbers. Transaction ids of long ago mean nothing. */
async function load(
  db: pg.ClientBase,
  table: string,
  first: string,
  page: readonly ArchivedEvent[],
): Promise<void> {
  for (const [into, some] of [
    [table, page.filter(({ position }) => position >= Number(first))],
    ['events_kept_next', page.filter(({ position }) => position < Number(first))],
  ] as const) {
    await db.query(
      `insert into ${into} (position, xid, stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id,
         traceparent, time)
       select (r->>'position')::bigint, '0', r->'event'->>'subject', (r->'event'->>'streamversion')::int, (r->'event'->>'id')::uuid,
         r->'event'->>'type', r->'event'->'data', case when r->>'internal' is not null then r->'internal' end,
         r->'event'->>'authtype', r->'event'->>'authid', r->'event'->>'traceparent', (r->'event'->>'time')::timestamptz
       from json_array_elements($1) as r
       on conflict (position) do nothing`,
      [JSON.stringify(some)],
    )
  }
  await db.query(
    'insert into log (log_seq, position) select * from unnest($1::bigint[], $2::bigint[]) on conflict do nothing',
    [page.map(({ event }) => event.logseq), page.map(({ position }) => position)],
  )
}
