import { eventLine, eventTypeOf, type Service, services } from '@grantlog/contracts'
import { KafkaTransport, readLog } from '@grantlog/eventing'
import type { Backbone } from '@grantlog/launcher'
import pg from 'pg'

/** An event as its row says it. */
export interface StoredEvent {
  readonly source: Service
  readonly logSeq: number
  readonly streamId: string
  readonly streamVersion: number
  /** Dotted, without its version. */
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly internal: Readonly<Record<string, unknown>> | null
  /** The trace id of the request that caused it; null for what the system did by itself. */
  readonly trace: string | null
}

/** All that one service stored. */
export interface Store {
  readonly source: Service
  /** In the order of their numbers. */
  readonly events: readonly StoredEvent[]
  /** The last number that was given. */
  readonly lastSeq: number
  /** The version that each stream’s row says. */
  readonly versions: ReadonlyMap<string, number>
  /** The lines of the events, in their order. */
  readonly lines: readonly string[]
}

/** An event as it lies in a topic, with the link that it carries. */
export interface Message {
  /** `topic:partition` */
  readonly place: string
  readonly source: Service
  readonly logSeq: number
  readonly previous: number
  readonly line: string
}

export function readStores(backbone: Backbone): Promise<Store[]> {
  return Promise.all(services.map(source => readStore(backbone, source)))
}

async function readStore(backbone: Backbone, source: Service): Promise<Store> {
  return withDatabase(backbone.databaseUrl(source), async client => {
    await client.query('begin isolation level repeatable read')
    const events = await client.query<Row>(
      'select log_seq, stream_id, stream_version, type, data, internal, traceparent from events order by log_seq',
    )
    const streams = await client.query<{ stream_id: string; version: number }>(
      'select stream_id, version from streams',
    )
    const end = await client.query<{ last_seq: string }>('select last_seq from log_end')
    const lines: string[] = []
    for (let batch = 1; batch > 0; ) {
      const read = await readLog(client, source, lines.length, 5000)
      lines.push(...read.map(eventLine))
      batch = read.length
    }
    return {
      source,
      events: events.rows.map(row => storedEvent(source, row)),
      lastSeq: Number(end.rows[0]?.last_seq),
      versions: new Map(streams.rows.map(row => [row.stream_id, row.version])),
      lines,
    }
  })
}

interface Row {
  log_seq: string
  stream_id: string
  stream_version: number
  type: string
  data: Record<string, unknown>
  internal: Record<string, unknown> | null
  traceparent: string | null
}

function storedEvent(source: Service, row: Row): StoredEvent {
  return {
    source,
    logSeq: Number(row.log_seq),
    streamId: row.stream_id,
    streamVersion: row.stream_version,
    type: eventTypeOf(row.type) ?? row.type,
    data: row.data,
    internal: row.internal,
    trace: row.traceparent?.split('-')[1] ?? null,
  }
}

/** Reads every topic from its beginning, until nothing has come for a while. */
export async function readTopics({ kafka }: Backbone, quietMilliseconds = 1500): Promise<Message[]> {
  if (kafka === undefined) return []
  const transport = new KafkaTransport({ clientId: 'history', ...kafka })
  const messages: Message[] = []
  const offsets = new Map<string, bigint>()
  let heard = Date.now()
  const subscription = await transport.subscribe({
    name: 'history',
    topics: ['clients', 'grants', 'organizations', 'tokens', 'keys', 'revocations'],
    begin: () => ({ lastSeq: {}, nextOffset: null }),
    async deliver({ topic, partition, events, nextOffset }) {
      const place = `${topic}:${partition}`
      const next = BigInt(nextOffset ?? 0)
      if (next <= (offsets.get(place) ?? 0n)) return // brought again
      offsets.set(place, next)
      heard = Date.now()
      for (const { event, previous } of events)
        messages.push({ place, source: event.source, logSeq: event.logseq, previous, line: eventLine(event) })
    },
  })
  try {
    while (Date.now() - heard < quietMilliseconds) await new Promise(resolve => setTimeout(resolve, 100))
  } finally {
    await subscription.stop()
    await transport.close()
  }
  return messages
}

export async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
