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

/** The last number of a log: all that was committed before has one up to it. */
export async function lastSeqOf(db: pg.Pool | pg.ClientBase): Promise<number> {
  const { rows } = await db.query<{ last_seq: string }>({
    name: 'log-end',
    text: 'select last_seq from log_end',
  })
  if (rows[0] === undefined) throw new Error('The row of log_end is missing: the event tables are damaged')
  return Number(rows[0].last_seq)
}

/**
 * The rows of the log after a number, in order.
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
    text: `select ${[eventColumns, ...more]} from events e where ${attachedAfter} order by log_seq limit ${limit}`,
    values: [after],
  })
  if (Number(rows[0]?.log_seq) !== after + 1) await assertAttached(db, source, after)
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
    text: `
      with slice as materialized (select log_seq from events where ${attachedAfter} order by log_seq limit ${limit})
      select s.up_to, s.numbers, e.* from (select max(log_seq) as up_to, count(*) as numbers from slice) s
      left join lateral (
        select ${eventColumns} from events e
        where log_seq > $1 and log_seq <= s.up_to and log_seq > (${detachedUpTo}) and type <> all ($2::text[])
        order by log_seq
      ) e on true`,
    values: [after, without],
  })
  const upTo = Number(rows[0]?.up_to ?? after)
  const numbers = Number(rows[0]?.numbers ?? 0)
  // detached, or with a hole: whoever reads all of it finds where
  if (numbers === 0 || upTo !== after + numbers) return readWhole(db, source, after, limit)
  const events = rows.filter(({ log_seq }) => log_seq !== null)
  return { events: events.map(row => envelopeOf(row, source)), upTo }
}

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

/** Of streams that have not ended the events of detached segments are there as well, with gaps between them: they are no part of the log. */
const detachedUpTo = 'select detached_up_to from log_end'
const attachedAfter = `log_seq > $1 and log_seq > (${detachedUpTo})`

/** What `envelopeOf` needs, of `events e`. */
export const eventColumns = `
  e.log_seq, e.event_id, e.type, e.stream_id, e.stream_version, (e.time at time zone 'UTC')::text as time,
  e.actor_type, e.actor_id, e.traceparent, e.data`
