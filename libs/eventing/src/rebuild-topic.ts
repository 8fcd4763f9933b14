import { type Service, type Topic, topics } from '@grantlog/contracts'
import type pg from 'pg'
import { assertAttached } from './detached.js'
import { eventTopics, topicOf } from './event-types.js'
import { Hold } from './hold.js'
import { readLog } from './log.js'
import { outgoing } from './publisher.js'
import type { KafkaOptions } from './transport/kafka-client.js'
import { KafkaSink } from './transport/kafka-sink.js'
import { deleteRecordsBefore, ensureTopic, topicEnds } from './transport/kafka-topics.js'

const batchSize = 500
const settleMilliseconds = 30_000
const maxRounds = 3

/** How far a rebuild is with one writer's log. */
export interface RebuildProgress {
  readonly service: Service
  /** The last number of the log that was dealt with, and the last that will be. */
  readonly logSeq: number
  readonly upTo: number
  /** Events sent so far, of all writers. */
  readonly sent: number
}

/**
 * Publishes a topic anew from what its writers have stored, while they are on hold: first all of it after what the topic holds,
 * then what stood before is removed. So offsets only grow. A consumer reads what it knows again, drops it, and goes on; one that
 * is behind finds the beginning of the new records. Interrupted, it has removed nothing that is not there again, and the
 * writers go on publishing by themselves.
 * @param writers a connection of its own to each writer's database
 * @returns how many events it published
 */
export async function rebuildTopic(
  topic: Topic,
  writers: ReadonlyMap<Service, pg.ClientBase>,
  kafka: KafkaOptions,
  progress: (progress: RebuildProgress) => void = () => undefined,
): Promise<number> {
  const holds = topics[topic].writers.map(service => {
    const db = writers.get(service)
    if (db === undefined) throw new RangeError(`${service} writes ${topic} too: its database is needed`)
    return new Hold(service, db)
  })
  const sink = new KafkaSink(kafka)
  try {
    for (const hold of holds) await hold.ask()
    for (const hold of holds) await hold.settled(settleMilliseconds)
    await ensureTopic(kafka, topic)
    const { begin, heads, sent } = await publishAll(topic, holds, sink, kafka, progress)
    for (const hold of holds) await hold.confirm()
    await deleteRecordsBefore(kafka, topic, begin)
    for (const hold of holds) await hold.finish(topic, heads.get(hold.service) ?? new Map())
    return sent
  } finally {
    // where a connection is gone, its hold is too
    await Promise.allSettled(holds.map(hold => hold.release()))
    await sink.close()
  }
}

async function publishAll(
  topic: Topic,
  holds: readonly Hold[],
  sink: KafkaSink,
  kafka: KafkaOptions,
  progress: (progress: RebuildProgress) => void,
) {
  for (let round = 1; ; round++) {
    const begin = await topicEnds(kafka, topic)
    const expected = new Map(begin)
    const heads = new Map<Service, Map<string, number>>()
    let sent = 0
    for (const { service, db } of holds) {
      await assertAttached(db, service, 0) // what is in files could not be published anew
      const upTo = await publishedUpTo(service, db)
      const known = await eventTopics(db)
      const chain = new Map<string, number>()
      for (let after = 0; after < upTo; ) {
        const events = (await readLog(db, service, after, batchSize)).filter(event => event.logseq <= upTo)
        const messages = events
          .filter(({ type }) => topicOf(known, type) === topic)
          .map(event => outgoing(event, topic, chain))
        if (messages.length > 0) await sink.send(messages)
        for (const { partition } of messages) expected.set(partition, (expected.get(partition) ?? 0) + 1)
        after = events.at(-1)?.logseq ?? upTo
        sent += messages.length
        progress({ service, logSeq: after, upTo, sent })
      }
      heads.set(service, chain)
    }
    const end = await topicEnds(kafka, topic)
    if ([...expected].every(([partition, offset]) => end.get(partition) === offset))
      return { begin, heads, sent }
    // a send that was given up long ago can still arrive, from a process that was frozen: then once more, behind it
    if (round === maxRounds)
      throw new Error(
        `Something else writes to ${topics[topic].name}: nothing was removed. Find it, then run it again.`,
      )
  }
}

async function publishedUpTo(service: Service, db: pg.ClientBase): Promise<number> {
  const { rows } = await db.query<{ cursor: string; last_seq: string }>(
    'select cursor, last_seq from publisher, log_end',
  )
  const { cursor, last_seq } = rows[0] ?? { cursor: 0, last_seq: 0 }
  if (Number(cursor) > Number(last_seq))
    throw new Error(
      `${service} has published up to ${cursor}, but its log ends at ${last_seq}: run grantlog doctor first.`,
    )
  return Number(cursor)
}
