import {
  catalogue,
  type Envelope,
  eventLine,
  namesOnTheWire,
  parseEventLine,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import { envelopeOf, type LogRow, selectLog } from '../log.js'
import type { KafkaOptions } from '../transport/kafka-client.js'
import { readTopic, TopicMissing, type TopicRecord } from '../transport/kafka-read.js'
import { olderThanRead } from './checkpoints.js'
import { bad, type Finding, fine, logIsOlder, type Patient } from './finding.js'

const name = 'topic'

/**
 * Whether a topic holds what its writers have stored up to their cursors, byte for byte, each partition a chain from 0. Reads all
 * of it. Heartbeats and records that come twice are no fault.
 */
export async function topicEqualsStore(
  topic: Topic,
  patients: readonly Patient[],
  kafka: KafkaOptions,
): Promise<Finding[]> {
  const writers: readonly Service[] = topics[topic].writers
  const held: Store[] = []
  for (const patient of patients)
    if (writers.includes(patient.service)) held.push(await Store.open(topic, patient))
  if (held.length === 0) return []
  try {
    await readTopic(kafka, topic, async records => {
      for (const store of held) await store.compare(records)
    })
  } catch (error) {
    if (!(error instanceof TopicMissing)) throw error
    return held.map(({ service }) =>
      bad(
        name,
        service,
        'error',
        error.message,
        `Run grantlog topics rebuild ${topic}: it creates and fills it.`,
      ),
    )
  }
  return held.flatMap(store => store.findings())
}

/** What one writer has stored of the topic, and how the topic differs from it. */
class Store {
  readonly service: Service
  readonly #last = new Map<number, number>()
  /** The first of each kind, and how many there were. */
  readonly #wrong = new Map<'beyond' | 'differs' | 'chain', { first: string; times: number }>()
  #events = 0
  #upToCursor = 0

  private constructor(
    private readonly topic: Topic,
    private readonly patient: Patient,
    private readonly cursor: number,
    private readonly published: number,
  ) {
    this.service = patient.service
  }

  static async open(topic: Topic, patient: Patient): Promise<Store> {
    const types = [...namesOnTheWire(catalogue.filter(definition => definition.topic === topic)).keys()]
    const { rows } = await patient.db.query<{ cursor: number; published: number }>(
      `select cursor::int, (
         select count(*)::int from log l join events e using (position) where l.log_seq <= cursor and e.type = any($1)
       ) as published from publisher`,
      [types],
    )
    return new Store(topic, patient, rows[0]?.cursor ?? 0, rows[0]?.published ?? 0)
  }

  async compare(records: readonly TopicRecord[]): Promise<void> {
    const own = records.flatMap(record => {
      if (record.value.includes('"type":"feed.heartbeat.v1"')) return []
      const event = parsed(record.value)
      if (event === undefined)
        this.#note(
          'chain',
          `${topics[this.topic].name}[${record.partition}] holds what is no event, at offset ${record.offset}`,
        )
      return event?.source === this.service ? [{ ...record, event }] : []
    })
    if (own.length === 0) return
    const { rows } = await this.patient.db.query<LogRow>({
      name: 'read-some',
      text: `${selectLog} where l.log_seq = any($1)`,
      values: [own.map(({ event }) => event.logseq)],
    })
    const stored = new Map(rows.map(row => [Number(row.log_seq), eventLine(envelopeOf(row, this.service))]))
    for (const { event, value, partition, previous } of own) {
      const place = `${topics[this.topic].name}[${partition}]: event ${event.logseq}`
      const line = stored.get(event.logseq)
      if (line === undefined) this.#note('beyond', place)
      else if (line !== value) this.#note('differs', place)
      const last = this.#last.get(partition) ?? 0
      if (event.logseq <= last) continue
      if (previous !== last) this.#note('chain', `${place} follows ${previous}, but ${last} stands before it`)
      this.#last.set(partition, event.logseq)
      this.#events += 1
      if (event.logseq <= this.cursor) this.#upToCursor += 1
    }
  }

  findings(): Finding[] {
    const findings: Finding[] = []
    const topic = topics[this.topic].name
    const rebuild = `Run grantlog topics rebuild ${this.topic}: consumers go on unharmed.`
    const [beyond, differs, chain] = [
      this.#wrong.get('beyond'),
      this.#wrong.get('differs'),
      this.#wrong.get('chain'),
    ]
    const error = (what: string, todo: string, check = name) =>
      findings.push(bad(check, this.service, 'error', what, todo))
    if (beyond)
      error(
        `${topic} holds ${beyond.times} events that the log does not (${beyond.first})`,
        olderThanRead(this.service),
        logIsOlder,
      )
    if (differs)
      error(
        `${topic} holds ${differs.times} events otherwise than they are stored (${differs.first})`,
        `Either somebody wrote to the topic: ${rebuild} Or the log gave a number twice. ${olderThanRead(this.service)}`,
      )
    if (chain) error(`the chain is broken: ${chain.first}`, rebuild)
    else if (this.#upToCursor < this.published)
      error(`${topic} holds ${this.#upToCursor} of ${this.published} published events`, rebuild)
    if (findings.length > 0) return findings
    return [
      fine(name, this.service, `${topic} holds ${this.#events} events, byte for byte as they are stored`),
    ]
  }

  #note(kind: 'beyond' | 'differs' | 'chain', what: string): void {
    const before = this.#wrong.get(kind)
    this.#wrong.set(kind, { first: before?.first ?? what, times: (before?.times ?? 0) + 1 })
  }
}

function parsed(line: string): Envelope | undefined {
  try {
    return parseEventLine(line)
  } catch {
    return undefined // noted by the caller
  }
}
