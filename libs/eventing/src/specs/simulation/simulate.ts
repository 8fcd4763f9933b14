import { canonicalJson, type Envelope, parseEventLine, schemaOf } from '@grantlog/contracts'
import { Locks } from '../../locks.js'
import { LogOwner } from '../../log-owner.js'
import type { Projection } from '../../projection.js'
import { ProjectionRunner } from '../../projection-runner.js'
import type { EventSink } from '../../publisher.js'
import { EmbeddedTransport } from '../../transport/embedded.js'
import { KafkaTransport } from '../../transport/kafka.js'
import { KafkaSink } from '../../transport/kafka-sink.js'
import { wantedTopics } from '../../transport/topics.js'
import type { Transport } from '../../transport/transport.js'
import { foldedRows, suspensions } from '../a-projection.js'
import { Broker, type BrokerFaults } from './kafka.js'
import { Database, type Faults } from './postgres.js'
import { Chance, VirtualTime } from './virtual-time.js'

const faultyMilliseconds = 6000
const settleMilliseconds = 120_000

/** What a schedule may put in place of the real parts, to show that the check finds it. */
export interface Replacements {
  readonly sink?: (sink: EventSink) => EventSink
  readonly transport?: (transport: Transport) => Transport
  readonly projection?: Projection
}

/**
 * One schedule: two instances of a service publish a log, two instances of another keep a read model of it, while sessions break,
 * answers are lost, processes stand still or are killed, and consumer groups are balanced anew; then all is healed.
 * @returns what is wrong once nothing changes any more; nothing, when each event counts once and in order
 */
export async function simulate(
  seed: number,
  kind: 'embedded' | 'kafka',
  replacements: Replacements = {},
): Promise<string[]> {
  const [time, chance] = [new VirtualTime(), new Chance(seed)]
  return time.run(() => new Schedule(time, chance, kind, replacements).run())
}

class Schedule {
  readonly #source: Database
  readonly #target: Database
  readonly #broker: Broker
  readonly #ends: (() => Promise<unknown>)[] = []

  constructor(
    private readonly time: VirtualTime,
    private readonly chance: Chance,
    private readonly kind: 'embedded' | 'kafka',
    private readonly replacements: Replacements,
  ) {
    this.#source = new Database(time, chance)
    this.#target = new Database(time, chance)
    this.#broker = new Broker(time, chance, wantedTopics())
  }

  async run(): Promise<string[]> {
    const { chance, time } = this
    const faults: Faults = {
      lost: chance.one([0, 0.003, 0.02]),
      stall: chance.one([0, 0.002, 0.01]),
      stallMilliseconds: 9000,
    }
    const brokerFaults: BrokerFaults = {
      refused: chance.one([0, 0.05, 0.2]),
      unanswered: chance.one([0, 0.05, 0.2]),
      late: chance.one([0, 0.05]),
      rebalance: chance.one([0, 0.02, 0.1]),
      crash: chance.one([0, 0.01, 0.05]),
      away: chance.one([0, 0.5]),
    }
    const publishers = this.kind === 'kafka' ? [this.#publisher(), this.#publisher()] : []
    const readers = [this.#reader(), this.#reader()]
    Object.assign(this.#source, { faults })
    Object.assign(this.#target, { faults })
    this.#broker.faults = brokerFaults

    const count = 10 + chance.below(40)
    for (let n = 0; n < count; n++) {
      await time.sleep(chance.below((2 * faultyMilliseconds) / count))
      this.#append()
      if (chance.happens(0.02)) this.#replace(readers, () => this.#reader())
      if (publishers.length > 0 && chance.happens(0.02)) this.#replace(publishers, () => this.#publisher())
    }
    this.#source.faults = undefined
    this.#target.faults = undefined
    this.#broker.faults = undefined
    const until = time.now + settleMilliseconds
    while (this.#unapplied() && time.now < until) await time.sleep(250)
    const findings = this.#findings()
    const stopped = Promise.all(this.#ends.map(end => end()))
    await Promise.race([stopped, time.sleep(60_000)])
    return findings
  }

  /** A process is killed: what it holds is gone, and what it still thinks does not count. Another one starts. */
  #replace(instances: (() => void)[], start: () => () => void): void {
    const at = this.chance.below(instances.length)
    instances[at]?.()
    instances[at] = start()
  }

  #append(): void {
    const { log } = this.#source
    const client = `client-${this.chance.below(5)}`
    const logseq = log.length + 1
    const isRevocation = this.chance.happens(0.3)
    const type = isRevocation ? 'token.revoked.v1' : 'client.suspended.v1'
    const event: Envelope = {
      specversion: '1.0',
      id: `00000000-0000-4000-8000-${String(logseq).padStart(12, '0')}`,
      type,
      source: 'clients',
      subject: `client-${client}`,
      time: new Date(this.time.now).toISOString(),
      datacontenttype: 'application/json',
      dataschema: schemaOf(type),
      logseq,
      streamversion: logseq,
      authtype: 'operator',
      authid: 'simulation',
      data: isRevocation
        ? {
            target: { kind: 'client', id: client },
            issuedBefore: logseq,
            reason: 'client-suspended',
            cause: null,
          }
        : { clientId: client, reason: `reason ${logseq}` },
    }
    log.push(event)
  }

  /** An instance of the service whose log it is. @returns what kills it */
  #publisher(): () => void {
    const pool = this.#source.pool()
    const locks = new Locks(pool)
    const sink = new KafkaSink(this.#kafka())
    const owner = new LogOwner(pool, locks, {
      service: 'clients',
      sink: this.replacements.sink?.(sink) ?? sink,
      report: () => undefined,
      now: () => new Date(this.time.now),
    })
    owner.start()
    return this.#killable(async () => {
      await owner.stop()
      locks.close()
    }, locks)
  }

  /** An instance of the service that keeps the read model. @returns what kills it */
  #reader(): () => void {
    const pool = this.#target.pool()
    const locks = new Locks(pool)
    const transport =
      this.kind === 'kafka'
        ? new KafkaTransport(this.#kafka())
        : new EmbeddedTransport({ clients: this.#source.pool() })
    const runner = new ProjectionRunner(this.replacements.projection ?? suspensions(), {
      pool,
      locks,
      service: 'token',
      local: undefined,
      remote: this.replacements.transport?.(transport) ?? transport,
      report: () => undefined,
    })
    runner.start()
    return this.#killable(async () => {
      await runner.stop()
      locks.close()
      await transport.close()
    }, locks)
  }

  #killable(stop: () => Promise<unknown>, locks: Locks): () => void {
    let stopping: Promise<unknown> | undefined
    const end = () => {
      stopping ??= stop().catch(() => undefined)
      return stopping
    }
    this.#ends.push(end)
    return () => {
      locks.close() // its locks are free at once; what it had begun goes on for a while
      void end()
    }
  }

  #kafka() {
    return { clientId: 'simulation', brokers: ['simulated:1'], client: () => this.#broker.client() }
  }

  #unapplied(): boolean {
    return this.#difference() !== undefined || this.#target.projection.trouble !== null
  }

  #difference(): string | undefined {
    const live = [...this.#target.rows.values()].map(row => canonicalJson(row)).sort()
    const folded = foldedRows(this.#source.log)
    return canonicalJson(live) === canonicalJson(folded)
      ? undefined
      : `The read model is ${live.join(' ')}, but the events say ${folded.join(' ')}`
  }

  #findings(): string[] {
    const { trouble } = this.#target.projection
    return [
      this.#difference(),
      trouble === null ? undefined : `The read model does not go on: ${trouble}`,
      ...(this.kind === 'kafka' ? this.#brokenTopics() : []),
    ].filter(finding => finding !== undefined)
  }

  /** A consumer from the first record on must see each event, in order, and nothing that is missing. */
  #brokenTopics(): string[] {
    const seen = new Set<number>()
    const broken: string[] = []
    for (const [place, messages] of this.#broker.partitions) {
      let last = 0
      for (const { value, headers } of messages) {
        const line = value.toString()
        if (line.includes('feed.heartbeat')) continue
        const { logseq } = parseEventLine(line)
        seen.add(logseq)
        if (logseq <= last) continue
        if (Number(headers.previous) !== last)
          broken.push(`${place}: ${logseq} follows ${headers.previous}, not ${last}`)
        last = logseq
      }
    }
    const missing = this.#source.log.filter(({ logseq }) => !seen.has(logseq)).map(({ logseq }) => logseq)
    return missing.length === 0 ? broken : [...broken, `Never published: ${missing.join(', ')}`]
  }
}
