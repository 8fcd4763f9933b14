import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { Chance, VirtualTime } from './virtual-time.js'

/** How likely each fault is: of a send, and of a batch that is being handled. */
export interface BrokerFaults {
  /** The send fails, and nothing is stored. */
  readonly refused: number
  /** All is stored, and the answer is lost. */
  readonly unanswered: number
  /** The send fails, and is stored later all the same: kafkajs goes on with what it was told to forget. */
  readonly late: number
  /** The consumer's group is balanced anew while a batch is handled: the batch comes again, beside itself. */
  readonly rebalance: number
  readonly crash: number
  /** A consumer that begins finds no broker for a while. */
  readonly away: number
}

interface Message {
  readonly value: Buffer
  readonly headers: Record<string, Buffer>
}
type Listener = (event: { payload: never }) => void

/** A broker in memory, and clients of it that behave as kafkajs does, also at its worst. */
export class Broker {
  readonly partitions = new Map<string, Message[]>()
  readonly #consumers = new Set<SimulatedConsumer>()
  faults: BrokerFaults | undefined

  constructor(
    readonly time: VirtualTime,
    readonly chance: Chance,
    topics: readonly { name: string; partitions: number }[],
  ) {
    for (const { name, partitions } of topics)
      for (let partition = 0; partition < partitions; partition++)
        this.partitions.set(`${name}:${partition}`, [])
  }

  of(topic: string): { partition: number; messages: Message[] }[] {
    return [...this.partitions]
      .filter(([place]) => place.startsWith(`${topic}:`))
      .map(([place, messages]) => ({ partition: Number(place.slice(topic.length + 1)), messages }))
  }

  append(batch: readonly { topic: string; messages: readonly SentMessage[] }[]): void {
    for (const { topic, messages } of batch)
      for (const { partition, value, headers } of messages)
        this.partitions.get(`${topic}:${partition}`)?.push({
          value: Buffer.from(value),
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
          ),
        })
    for (const consumer of this.#consumers) consumer.pump()
  }

  client(): Kafka {
    const consume = () => {
      const consumer = new SimulatedConsumer(this, () => this.#consumers.delete(consumer))
      this.#consumers.add(consumer)
      return consumer as unknown as Consumer
    }
    return {
      admin: () => ({
        // while the broker is away, whoever asks where to begin waits
        connect: () =>
          this.time.sleep(this.chance.below(this.faults && this.chance.happens(this.faults.away) ? 3000 : 5)),
        disconnect: async () => undefined,
        fetchTopicOffsets: async (topic: string) =>
          this.of(topic).map(({ partition, messages }) => ({
            partition,
            high: String(messages.length),
            low: '0',
            offset: String(messages.length),
          })),
      }),
      producer: () => ({
        connect: () => this.time.sleep(this.chance.below(5)),
        disconnect: async () => undefined,
        sendBatch: (batch: { topicMessages: { topic: string; messages: SentMessage[] }[] }) =>
          this.#send(batch.topicMessages),
      }),
      consumer: consume,
    } as unknown as Kafka
  }

  async #send(batch: { topic: string; messages: SentMessage[] }[]): Promise<void> {
    const { faults, chance, time } = this
    await time.sleep(chance.below(6))
    if (faults && chance.happens(faults.refused)) throw new Error('The broker is away')
    if (faults && chance.happens(faults.late)) {
      time.after(chance.below(3000), () => this.append(batch))
      throw new Error('Request timed out')
    }
    this.append(batch)
    await time.sleep(chance.below(6))
    if (faults && chance.happens(faults.unanswered)) throw new Error('The answer was lost')
  }
}

interface SentMessage {
  readonly partition: number
  readonly value: string
  readonly headers: Record<string, string>
}

const batchSize = 7

class SimulatedConsumer {
  readonly events = { CRASH: 'consumer.crash', GROUP_JOIN: 'consumer.group_join' }
  readonly #listeners = new Map<string, Listener[]>()
  readonly #positions = new Map<string, number>()
  readonly #paused = new Set<string>()
  #handling = new Set<string>()
  #topics: string[] = []
  #eachBatch: ((payload: EachBatchPayload) => Promise<void>) | undefined
  #generation = 0
  #running = false

  constructor(
    private readonly broker: Broker,
    private readonly gone: () => void,
  ) {}

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
  }

  async connect(): Promise<void> {
    await this.broker.time.sleep(this.broker.chance.below(10))
  }

  async subscribe({ topics }: { topics: string[] }): Promise<void> {
    this.#topics = topics
  }

  async run({ eachBatch }: { eachBatch: (payload: EachBatchPayload) => Promise<void> }): Promise<void> {
    this.#eachBatch = eachBatch
    this.#running = true
    this.#join()
  }

  seek({ topic, partition, offset }: { topic: string; partition: number; offset: string }): void {
    if (!this.#running)
      throw new Error('Consumer group was not initialized, consumer#run must be called first')
    this.#positions.set(`${topic}:${partition}`, Number(offset))
  }

  async disconnect(): Promise<void> {
    this.#running = false
    this.#generation += 1
    this.gone()
    await this.broker.time.sleep(this.broker.chance.below(20))
  }

  /** Hands over what there is, a batch of each partition at a time. */
  pump(): void {
    for (const topic of this.#topics)
      for (const { partition } of this.broker.of(topic)) void this.#handle(topic, partition, this.#generation)
  }

  #join(): void {
    this.#generation += 1
    this.#handling = new Set()
    this.#paused.clear()
    const memberAssignment = Object.fromEntries(
      this.#topics.map(topic => [topic, this.broker.of(topic).map(({ partition }) => partition)]),
    )
    this.#emit(this.events.GROUP_JOIN, { memberAssignment })
    this.pump()
  }

  #emit(event: string, payload: object): void {
    for (const listener of this.#listeners.get(event) ?? []) listener({ payload: payload as never })
  }

  async #handle(topic: string, partition: number, generation: number): Promise<void> {
    const { broker } = this
    const place = `${topic}:${partition}`
    const log = broker.partitions.get(place) ?? []
    // an offset that is not there any more begins anew, and says nothing
    const wanted = this.#positions.get(place) ?? 0
    const from = wanted > log.length ? 0 : wanted
    const isCurrent = () => this.#running && generation === this.#generation
    if (!isCurrent() || this.#paused.has(place) || this.#handling.has(place) || from >= log.length) return
    const handling = this.#handling
    handling.add(place)
    await broker.time.sleep(broker.chance.below(5))
    if (!isCurrent()) return
    const messages = log
      .slice(from, from + 1 + broker.chance.below(batchSize))
      .map(({ value, headers }, index) => ({ offset: String(from + index), value, headers }))
    this.#mayFail(generation)
    let resolved = from
    await this.#eachBatch?.({
      batch: {
        topic,
        partition,
        highWatermark: String(log.length),
        messages,
        lastOffset: () => String(from + messages.length - 1),
      },
      resolveOffset: (offset: string) => {
        resolved = Number(offset) + 1
      },
      heartbeat: async () => {
        await broker.time.sleep(broker.chance.below(3))
        if (!isCurrent()) throw new Error('The group is rebalancing')
      },
      isRunning: () => this.#running,
      isStale: () => !isCurrent(),
      pause: () => {
        this.#paused.add(place)
        return () => {
          this.#paused.delete(place)
          this.pump()
        }
      },
    } as unknown as EachBatchPayload)
    handling.delete(place)
    if (!isCurrent()) return
    if (resolved > from && (this.#positions.get(place) ?? 0) === wanted) this.#positions.set(place, resolved)
    void this.#handle(topic, partition, generation)
  }

  #mayFail(generation: number): void {
    const { faults, chance, time } = this.broker
    if (faults === undefined) return
    const ifCurrent = (what: () => void) => () => {
      if (this.#running && generation === this.#generation) what()
    }
    if (chance.happens(faults.rebalance))
      time.after(
        chance.below(30),
        ifCurrent(() => this.#join()),
      )
    if (chance.happens(faults.crash))
      time.after(
        chance.below(30),
        ifCurrent(() => {
          this.#running = false
          this.#emit(this.events.CRASH, { error: new Error('Crashed, and will not restart'), restart: false })
        }),
      )
  }
}
