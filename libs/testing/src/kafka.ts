import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KafkaBroker, kafkaAvailable, startKafka } from '@grantlog/servers'
import { ask } from './databases.js'
import { describeWhere } from './describe-where.js'

/** The run's Kafka, and a prefix that keeps this file's topics apart. */
export async function testKafka(): Promise<{ brokers: string[]; topicPrefix: string }> {
  const { brokers } = (await ask('/kafka')) as { brokers: string[] }
  return { brokers, topicPrefix: `${randomUUID().slice(0, 8)}.` }
}

/** A broker of its own, for a test that kills it. */
export async function ownKafka(
  options: Pick<Parameters<typeof startKafka>[0], 'users' | 'tls'> = {},
): Promise<KafkaBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'grantlog-kafka-'))
  await chmod(dir, 0o755)
  const broker = await startKafka({ dir, ...options })
  return {
    ...broker,
    get pid() {
      return broker.pid
    },
    async stop() {
      await broker.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Tests that need Kafka. Where there can be none they are skipped, in one loud line; with CI=true that is a failure. */
export function describeWithKafka(name: string, tests: () => void): void {
  describeWhere(kafkaAvailable(), name, tests)
}
