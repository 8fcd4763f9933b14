import { type Actor, type EventType, recordedEvent, type Service, services } from '@grantlog/contracts'
import { readLog } from '@grantlog/eventing'
import pg from 'pg'
import type { Backbone } from './environment.js'

export interface LogLine {
  readonly time: string
  readonly source: Service
  readonly logSeq: number
  readonly type: EventType
  readonly streamId: string
  readonly actor: Actor
  readonly data: Readonly<Record<string, unknown>>
}

type Position = Readonly<Record<Service, number>>

/** How far each service's log goes now. */
export async function lastEvents(backbone: Backbone): Promise<Position> {
  const positions = await Promise.all(
    services.map(async source => {
      const last = await withDatabase(backbone, source, async db => {
        const { rows } = await db.query<{ last_seq: string }>('select last_seq from log_end')
        return Number(rows[0]?.last_seq ?? 0)
      })
      return [source, last] as const
    }),
  )
  return Object.fromEntries(positions) as Position
}

/** What was logged since then by any service, in the order of time. */
export async function eventsSince(
  backbone: Backbone,
  since: Position,
  wanted: (line: LogLine) => boolean,
): Promise<LogLine[]> {
  const logs = await Promise.all(
    services.map(source =>
      withDatabase(backbone, source, async db => {
        const events = await readLog(db, source, since[source], 1000)
        return events.flatMap(event => {
          const recorded = recordedEvent(event)
          return recorded === undefined ? [] : [{ ...recorded, data: { ...recorded.data } }]
        })
      }),
    ),
  )
  return logs
    .flat()
    .filter(wanted)
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.logSeq - b.logSeq))
}

async function withDatabase<T>(
  backbone: Backbone,
  source: Service,
  work: (db: pg.Client) => Promise<T>,
): Promise<T> {
  const db = new pg.Client({ connectionString: backbone.databaseUrl(source) })
  await db.connect()
  try {
    return await work(db)
  } finally {
    await db.end()
  }
}
