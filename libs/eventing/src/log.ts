import { type Envelope, type Service, schemaOf } from '@grantlog/contracts'
import type pg from 'pg'
import { ChainBroken } from './errors.js'

/** The events after a number, in order, as they go on the wire. @throws ChainBroken when a number is missing */
export async function readLog(
  db: pg.Pool | pg.ClientBase,
  source: Service,
  after: number,
  limit: number,
): Promise<Envelope[]> {
  const { rows } = await db.query<LogRow>({ name: 'read-log', text: select, values: [after, limit] })
  let expected = after
  return rows.map(row => {
    const logseq = Number(row.log_seq)
    expected += 1
    if (logseq !== expected)
      throw new ChainBroken({ source, topic: 'log', partition: 0 }, expected - 1, {
        previous: logseq - 1,
        logSeq: logseq,
      })
    return envelopeOf(row, source)
  })
}

/** An event of the log as it goes on the wire. */
export function envelopeOf(row: LogRow, source: Service): Envelope {
  return {
    specversion: '1.0',
    id: row.event_id,
    type: row.type,
    source,
    subject: row.stream_id,
    time: row.time.toISOString(),
    datacontenttype: 'application/json',
    dataschema: schemaOf(row.type),
    logseq: Number(row.log_seq),
    streamversion: row.stream_version,
    authtype: row.actor_type,
    authid: row.actor_id,
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    data: row.data,
  }
}

export interface LogRow {
  log_seq: string
  event_id: string
  type: string
  stream_id: string
  stream_version: number
  time: Date
  actor_type: Envelope['authtype']
  actor_id: string
  traceparent: string | null
  data: Record<string, unknown>
}

/** Up to its `where`: `l` is the log, `e` its events. */
export const selectLog = `
  select l.log_seq, e.event_id, e.type, e.stream_id, e.stream_version, e.time, e.actor_type, e.actor_id, e.traceparent, e.data
  from log l join events e using (position)`

const select = `${selectLog}
  where l.log_seq > $1 order by l.log_seq limit $2`
