import { type Envelope, type Service, schemaOf } from '@grantlog/contracts'
import type pg from 'pg'
import { assertAttached } from './detached.js'
import { ChainBroken } from './errors.js'

/** The events after a number, in order, as they go on the wire. @throws EventsDetached; ChainBroken when one is missing */
export async function readLog(
  db: pg.Pool | pg.ClientBase,
  source: Service,
  after: number,
  limit: number,
): Promise<Envelope[]> {
  const rows = await readRows<LogRow>(db, source, after, limit)
  return rows.map(row => envelopeOf(row, source))
}

/**
 * The rows of the log after a number, in order. Read by where they lie, all at once: a join could be planned as one of all events,
 * and one look-up per event takes three times as long.
 * @param more of the columns of `events`, for those who need more than goes on the wire
 * @throws EventsDetached; ChainBroken when one is missing
 */
export async function readRows<Row extends LogRow>(
  db: pg.Pool | pg.ClientBase,
  source: Service,
  after: number,
  limit: number,
  more: readonly (keyof Row & string)[] = [],
): Promise<Row[]> {
  const { rows } = await db.query<Row>({
    name: ['read-log', limit, ...more].join('-'),
    text: `with ${slice(limit)} ${eventsOfSlice(more)}`,
    values: [after],
  })
  if (Number(rows.sort(byNumber)[0]?.log_seq) !== after + 1) await assertAttached(db, source, after)
  rows.forEach(({ log_seq }, index) => {
    const [last, number] = [after + index, Number(log_seq)]
    if (number !== last + 1)
      throw new ChainBroken({ source, topic: 'log', partition: 0 }, last, {
        previous: number - 1,
        logSeq: number,
      })
  })
  return rows
}

/** What part of a log holds. */
export interface LogPart {
  readonly events: readonly Envelope[]
  /** The last number of the part, whatever that event is. */
  readonly upTo: number
}

/**
 * The next part of a log, without the events of some types: what nobody here wants is not even sent.
 * @throws EventsDetached; ChainBroken when a number is missing
 */
async function readPart(
  db: pg.Pool,
  source: Service,
  after: number,
  limit: number,
  without: readonly string[],
): Promise<LogPart> {
  const { rows } = await db.query<LogRow & { up_to: string | null; numbers: string }>({
    name: `read-part-${limit}`,
    text: `with ${slice(limit)}
      select s.up_to, s.numbers, e.* from (select max(log_seq) as up_to, count(*) as numbers from slice) s
      left join lateral (${eventsOfSlice()} and e.type <> all ($2::text[])) e on true`,
    values: [after, without],
  })
  const upTo = Number(rows[0]?.up_to ?? after)
  const numbers = Number(rows[0]?.numbers ?? 0)
  // detached, or with a hole: whoever reads all of it finds where
  if (numbers === 0 || upTo !== after + numbers) return readWhole(db, source, after, limit)
  const events = rows.filter(({ log_seq }) => log_seq !== null).sort(byNumber)
  return { events: events.map(row => envelopeOf(row, source)), upTo }
}

const byNumber = (one: LogRow, other: LogRow) => Number(one.log_seq) - Number(other.log_seq)

async function readWhole(db: pg.Pool, source: Service, after: number, limit: number): Promise<LogPart> {
  const events = await readLog(db, source, after, limit)
  return { events, upTo: after + events.length }
}

/** Reads a log in batches. While a full one is worked on, the next is on its way. */
export class LogReader {
  #ahead: { readonly after: number; readonly part: Promise<LogPart> } | undefined

  /** @param without the types of events that are passed over */
  constructor(
    private readonly pool: pg.Pool,
    private readonly source: Service,
    readonly batchSize: number,
    private readonly without: readonly string[] = [],
  ) {}

  /** What follows a number; less than a full batch is all that there is now. @throws ChainBroken as `readLog` */
  async after(cursor: number): Promise<LogPart & { readonly full: boolean }> {
    const { after, part: read } = this.#ahead ?? {}
    this.#ahead = undefined // one that failed is not asked again
    const ahead = after === cursor && read ? await read : undefined
    // one that was not full may have grown since it was read
    const part = ahead && this.#isFull(cursor, ahead) ? ahead : await this.#read(cursor)
    const full = this.#isFull(cursor, part)
    if (full) {
      const next = { after: part.upTo, part: this.#read(part.upTo) }
      next.part.catch(() => undefined) // whoever asks for it hears of it
      this.#ahead = next
    }
    return { ...part, full }
  }

  #isFull(after: number, { upTo }: LogPart): boolean {
    return upTo - after === this.batchSize
  }

  #read(after: number): Promise<LogPart> {
    return this.without.length === 0
      ? readWhole(this.pool, this.source, after, this.batchSize)
      : readPart(this.pool, this.source, after, this.batchSize, this.without)
  }
}

/** An event of the log as it goes on the wire. */
export function envelopeOf(row: LogRow, source: Service): Envelope {
  // in the order of the canonical form: then `eventLine` has nothing to sort
  return {
    authid: row.actor_id,
    authtype: row.actor_type,
    data: row.data,
    datacontenttype: 'application/json',
    dataschema: schemaOf(row.type),
    id: row.event_id,
    logseq: Number(row.log_seq),
    source,
    specversion: '1.0',
    streamversion: row.stream_version,
    subject: row.stream_id,
    time: isoTime(row.time),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    type: row.type,
  }
}

/** Without a Date in between, which costs more than all else of an envelope. */
function isoTime(time: string): string {
  return `${time.slice(0, 10)}T${time.slice(11, 19)}.${time.slice(20).padEnd(3, '0')}Z`
}

export interface LogRow {
  log_seq: string
  event_id: string
  type: string
  stream_id: string
  stream_version: number
  /** In UTC, as Postgres writes it: `2026-11-25 21:31:40.12`. */
  time: string
  actor_type: Envelope['authtype']
  actor_id: string
  traceparent: string | null
  data: Record<string, unknown>
}

/** The first so many numbers after `$1`. */
const slice = (limit: number) =>
  `slice as materialized (select log_seq, position from log where log_seq > $1 order by log_seq limit ${limit})`

/** `between`: then only the segments are opened that hold them. */
const eventsOfSlice = (more: readonly string[] = []) => `
  select (select log_seq from log where position = e.position) as log_seq, ${[eventColumns, ...more]} from events e
  where e.position = any (array(select position from slice))
    and e.position between (select min(position) from slice) and (select max(position) from slice)`

const eventColumns = `
  e.event_id, e.type, e.stream_id, e.stream_version, (e.time at time zone 'UTC')::text as time,
  e.actor_type, e.actor_id, e.traceparent, e.data`

/** What `envelopeOf` needs, up to its `where`: `l` is the log, `e` its events. */
export const selectLog = `select l.log_seq, ${eventColumns} from log l join events e using (position)`
