import { timeOrderedId } from '@grantlog/contracts'
import {
  applyTopics,
  createProjectionTable,
  EmbeddedTransport,
  Eventing,
  type EventSink,
  KafkaSink,
  KafkaTransport,
  type Transport,
} from '@grantlog/eventing'
import { type Figure, figure, median } from '../benchmark.js'
import type { Database, Ground } from './ground.js'
import { tokenService } from './log.js'
import { percentile, rounds, until } from './rounds.js'
import { WatchedTransport } from './watched.js'
import { actor, family, now, tokens } from './workload.js'

const eventsPerSecond = 500
const secondsPerRound = 3

/** From the commit in one service until the row can be seen in another’s read model. */
export async function measureVisibility(ground: Ground, told: (line: string) => void): Promise<Figure[]> {
  const kafka = { clientId: 'bench', brokers: ground.brokers, topicPrefix: 'visible.' }
  await applyTopics(kafka)
  const embeddedLog = await ground.database('visible_embedded')
  const embedded = await startPair(ground, embeddedLog, new EmbeddedTransport({ token: embeddedLog.url }))
  const onKafka = await startPair(
    ground,
    await ground.database('visible_kafka'),
    new KafkaTransport(kafka),
    new KafkaSink(kafka),
  )
  const figures: Figure[] = []
  for (const [name, pair] of [
    ['embedded', embedded],
    ['Kafka', onKafka],
  ] as const) {
    await pair.append(5) // connected, joined, compiled
    const all: { p50: number; p99: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const waits = await pair.append(secondsPerRound)
      const one = { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) }
      all.push(one)
      told(
        `${name}, round ${round + 1} of ${rounds}: p50 ${one.p50.toFixed(1)} ms, p99 ${one.p99.toFixed(1)} ms`,
      )
    }
    await pair.stop()
    const title = `Commit → visible in another service, ${name}, ${eventsPerSecond} events/s`
    const [p50, p99] = [all.map(one => one.p50), all.map(one => one.p99)]
    figures.push(figure(`${title}, p50`, 'ms', { ours: median(p50) }, { valueAtMost: 15 }))
    figures.push(figure(`${title}, p99`, 'ms', { ours: median(p99) }, { valueAtMost: 50 }))
  }
  return figures
}

/** A service that appends, and one that keeps a read model of it. */
async function startPair(ground: Ground, log: Database, transport: Transport, sink?: EventSink) {
  const writer = tokenService(log.pool, sink)
  const name = `readers_of_${sink ? 'kafka' : 'log'}`
  const { pool } = await ground.database(name)
  const projection = tokens('seen')
  await pool.query(createProjectionTable(projection))
  const committed = new Map<string, number>()
  const visible = new Map<string, number>()
  const remote = new WatchedTransport(transport, ({ events }) => {
    const time = performance.now()
    for (const { event } of events) visible.set(event.id, time)
  })
  const reader = new Eventing({
    pool,
    service: undefined,
    projections: [projection],
    remote,
    report: error => process.stderr.write(`  ${String(error)}\n`),
    now,
  })
  writer.start()
  reader.start()
  const append = async () => {
    const familyId = timeOrderedId()
    const { events } = await writer.commands.run(family, familyId, { familyId, events: 1 }, { actor })
    const time = performance.now()
    for (const { id } of events) committed.set(id, time)
  }
  return {
    /** Appends at the rate for so long. Returns how long each event then took, in milliseconds. */
    async append(seconds: number): Promise<number[]> {
      committed.clear()
      visible.clear()
      const appends: Promise<void>[] = []
      const began = performance.now()
      while (appends.length < seconds * eventsPerSecond) {
        const due = ((performance.now() - began) / 1000) * eventsPerSecond
        while (appends.length < due) appends.push(append())
        await new Promise(resolve => setTimeout(resolve, 1))
      }
      await Promise.all(appends)
      await until(() => visible.size >= appends.length, 'All being visible')
      return [...committed].map(([id, time]) => Math.max(0, (visible.get(id) ?? Number.NaN) - time))
    },
    async stop(): Promise<void> {
      await Promise.all([writer.stop(), reader.stop()])
    },
  }
}
