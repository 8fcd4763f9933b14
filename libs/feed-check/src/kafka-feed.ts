import { type Envelope, heartbeatLine, type Service, services, topics } from '@grantlog/contracts'
import {
  deleteTopic,
  ensureTopic,
  type KafkaOptions,
  KafkaSink,
  type OutgoingMessage,
  outgoing,
} from '@grantlog/eventing'
import { type Feed, partitions, type Revocation, SourceLogs } from './feed.js'

const topic = 'revocations'
const beatMilliseconds = 500
const earlierMilliseconds = 1_800_000

/** A topic of its own, written as the services write theirs. */
export class KafkaFeed implements Feed {
  readonly address
  readonly logs = new SourceLogs()
  readonly #options: KafkaOptions
  readonly #sink: KafkaSink
  readonly #chains = new Map<Service, Map<string, number>>(services.map(source => [source, new Map()]))
  #silent: (source: Service, partition: number) => boolean = () => false
  #beating: NodeJS.Timeout | undefined
  #sending: Promise<unknown> = Promise.resolve()

  #ours = false

  constructor(options: KafkaOptions & { readonly topicPrefix: string }) {
    this.#options = options
    this.#sink = new KafkaSink(this.#options)
    this.address = { brokers: options.brokers.join(','), prefix: options.topicPrefix, url: '', tokenFile: '' }
  }

  async open(earlier: readonly Revocation[]): Promise<void> {
    this.#ours = await ensureTopic(this.#options, topic)
    if (!this.#ours)
      throw new Error(
        `There is a topic ${this.#options.topicPrefix}${topics[topic].name}: name a prefix that nobody uses, the topic is deleted at the end.`,
      )
    const time = new Date(Date.now() - earlierMilliseconds)
    await this.send(earlier.map(revocation => this.message(this.logs.revoked(revocation, undefined, time))))
    await this.#beat()
    this.#beating = setInterval(() => void this.#beat(), beatMilliseconds)
  }

  async revoke(...revocations: readonly Revocation[]): Promise<void> {
    await this.send(revocations.map(revocation => this.message(this.logs.revoked(revocation))))
  }

  /** The event's message: from now on it is what its source sent last to its partition, whether or not it is ever sent. */
  message(event: Envelope): OutgoingMessage {
    return outgoing(event, topic, this.#chainOf(event.source))
  }

  /** One call after the other. */
  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return
    const sending = this.#sending.then(() => this.#sink.send(messages))
    this.#sending = sending.catch(() => undefined) // whoever called is told
    await sending
  }

  /** Says no more heartbeats where this is true. */
  silence(where: (source: Service, partition: number) => boolean): void {
    this.#silent = where
  }

  async close(): Promise<void> {
    clearInterval(this.#beating)
    await this.#sending
    await this.#sink.close()
    if (this.#ours) await deleteTopic(this.#options, topic)
  }

  async #beat(): Promise<void> {
    const time = new Date()
    const beats = services.flatMap(source =>
      partitions
        .filter(partition => !this.#silent(source, partition))
        .map(partition => {
          const previous = this.#chainOf(source).get(`${topic}:${partition}`) ?? 0
          return { topic, partition, key: '', value: heartbeatLine(source, previous, time), previous, time }
        }),
    )
    // one that is lost is followed by another
    await this.send(beats as OutgoingMessage[]).catch(error => process.emitWarning(String(error)))
  }

  #chainOf(source: Service): Map<string, number> {
    return this.#chains.get(source) ?? new Map()
  }
}
