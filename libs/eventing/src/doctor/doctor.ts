import { type Service, type Topic, topics } from '@grantlog/contracts'
import type pg from 'pg'
import type { KafkaOptions } from '../transport/kafka-client.js'
import { checkpoints } from './checkpoints.js'
import { bad, type Check, type Finding, logIsOlder, type Patient } from './finding.js'
import { logChain } from './log-chain.js'
import { publication, repairHold } from './publication.js'
import { readModels } from './read-models.js'
import { repairRestored, restored } from './restored.js'
import { streams } from './streams.js'
import { topicEqualsStore } from './topic.js'
import { idleSessions, preparedTransactions } from './transactions.js'

const checks: readonly Check[] = [
  restored,
  idleSessions(),
  preparedTransactions,
  logChain,
  streams,
  publication,
  readModels,
]

/**
 * Looks at the logs of services and, where Kafka is given, at the topics that they write. Changes nothing.
 * @param logs a connection of its own to each service's database
 */
export async function examine(
  logs: ReadonlyMap<Service, pg.ClientBase>,
  kafka?: KafkaOptions,
): Promise<Finding[]> {
  const patients = [...logs].map(([service, db]): Patient => ({ service, db }))
  const findings: Finding[] = []
  for (const patient of patients) {
    await inOneMoment(patient, async () => {
      for (const check of checks) findings.push(...(await check(patient)))
    })
  }
  findings.push(...(await checkpoints(patients)))
  if (kafka) findings.push(...(await examineTopics(patients, kafka)))
  return findings
}

async function examineTopics(patients: readonly Patient[], kafka: KafkaOptions): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    for (const topic of Object.keys(topics) as Topic[])
      findings.push(...(await topicEqualsStore(topic, patients, kafka)))
  } catch (error) {
    const what = `Kafka at ${kafka.brokers} can not be read: ${error instanceof Error ? error.message : error}`
    const todo = 'See that Kafka runs and can be reached from here.'
    findings.push(...patients.map(({ service }) => bad('topic', service, 'error', what, todo)))
  }
  return findings
}

async function inOneMoment({ db }: Patient, look: () => Promise<void>): Promise<void> {
  await db.query('begin isolation level repeatable read read only')
  await look().finally(() => db.query('rollback'))
}

/**
 * Mends what can be mended without a loss: a log that came from another cluster, and a hold that nobody needs any more. A log
 * that others have read further than it goes is left alone.
 * @returns what was done, a sentence each
 */
export async function repair(
  logs: ReadonlyMap<Service, pg.ClientBase>,
  findings: readonly Finding[],
): Promise<string[]> {
  const done: string[] = []
  for (const [service, db] of logs) {
    const found = findings
      .filter(finding => finding.service === service && !finding.ok)
      .map(({ check }) => check)
    if (found.includes('cluster') && found.includes(logIsOlder))
      done.push(`${service}: not repaired, because its log is older than what others have read of it.`)
    else if (found.includes('cluster')) {
      await repairRestored(db)
      done.push(`${service}: its log is one of this cluster now.`)
    }
    if (await repairHold(db)) done.push(`${service}: its publisher is on hold no more.`)
  }
  return done
}
