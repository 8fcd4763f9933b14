import {
  type Envelope,
  eventLine,
  parseEventLine,
  type Service,
  type Topic,
  topics,
} from '@grantlog/contracts'
import { eventTopics } from '../event-types.js'
import { envelopeOf, eventColumns, type LogRow } from '../log.js'
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
  /** What is wrong, by kind, once: a record may be read twice. */
  readonly #wrong = { beyond: new Set<string>(), differs: new Set<string>(), chain: new Set<string>() }
  #events = 0
  #upToCursor = 0

  private constructor(
    private readonly topic: Topic,
    private readonly patient: Patient,
    private readonly cursor: number,
    private readonly published: number,
    /** Up to this number the log is in files: not compared. */
    private readonly detached: number,
  ) {
    this.service = patient.service
  }

  static async open(topic: Topic, patient: Patient): Promise<Store> {
    const known = await eventTopics(patient.db)
    const types = [...known].filter(([, other]) => other === topic).map(([type]) => type)
    const { rows } = await patient.db.query<{ cursor: number; published: number; detached: number }>(
      `select cursor::float8, detached_up_to::float8 as detached, (
         select count(*)::float8 from events where log_seq > detached_up_to and log_seq <= cursor and type = any($1)
       ) as published from publisher, log_end`,
      [types],
    )
    const { cursor, published, detached } = rows[0] ?? { cursor: 0, published: 0, detached: 0 }
    return new Store(topic, patient, cursor, published, detached)
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
      text: `select ${eventColumns} from events e where log_seq = any($1)`,
      values: [own.map(({ event }) => event.logseq)],
    })
    const stored = new Map(rows.map(row => [Number(row.log_seq), eventLine(envelopeOf(row, this.service))]))
    for (const { event, value, partition, previous } of own) {
      const place = `${topics[this.topic].name}[${partition}]: event ${event.logseq}`
      const line = stored.get(event.logseq)
      const compared = event.logseq > this.detached
      if (compared && line === undefined) this.#note('beyond', place)
      else if (compared && line !== value) this.#note('differs', place)
      const last = this.#last.get(partition) ?? 0
      if (event.logseq <= last) continue
      if (previous !== last) this.#note('chain', `${place} follows ${previous}, but ${last} stands before it`)
      this.#last.set(partition, event.logseq)
      this.#events += 1
      if (compared && event.logseq <= this.cursor) this.#upToCursor += 1
    }
  }

  findings(): Finding[] {
    const findings: Finding[] = []
    const topic = topics[this.topic].name
    const rebuild = `Run grantlog topics rebuild ${this.topic}: consumers go on unharmed.`
    const { beyond, differs, chain } = this.#wrong
    const first = (places: ReadonlySet<string>) => [...places][0]
    const error = (what: string, todo: string, check = name) =>
      findings.push(bad(check, this.service, 'error', what, todo))
    if (beyond.size > 0)
      error(
        `${topic} holds ${beyond.size} events that the log does not (${first(beyond)})`,
        olderThanRead(this.service),
        logIsOlder,
      )
    if (differs.size > 0)
      error(
        `${topic} holds ${differs.size} events otherwise than they are stored (${first(differs)})`,
        `Either somebody wrote to the topic: ${rebuild} Or the log gave a number twice. ${olderThanRead(this.service)}`,
      )
    if (chain.size > 0) error(`the chain is broken: ${first(chain)}`, rebuild)
    else if (this.#upToCursor < this.published)
      error(`${topic} holds ${this.#upToCursor} of ${this.published} published events`, rebuild)
    if (findings.length > 0) return findings
    return [
      fine(name, this.service, `${topic} holds ${this.#events} events, byte for byte as they are stored`),
    ]
  }

  #note(kind: 'beyond' | 'differs' | 'chain', what: string): void {
    this.#wrong[kind].add(what)
  }
}

function parsed(line: string): Envelope | undefined {
  try {
    return parseEventLine(line)
  } catch {
    return undefined // noted by the caller
  }
}
