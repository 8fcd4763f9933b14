import { applyTopics, type KafkaOptions, verifyTopics } from '@grantlog/eventing'
import { type Command, readOptions } from '../command.js'
import { findInstallation } from '../installation.js'
import { UsageError } from '../usage-error.js'

const options = {
  '--brokers LIST':
    'host:port, separated by commas; KAFKA_BROKERS, or those of the npm start here, without it',
  '--prefix TEXT': 'stands before each topic’s name; KAFKA_TOPIC_PREFIX without it',
}

export const topicsApply: Command = {
  usage: 'topics apply [--brokers LIST] [--prefix TEXT]',
  summary: 'create the topics that are missing; change nothing that exists',
  options,
  async run(args) {
    const { created, wrong } = await applyTopics(kafkaOf(args))
    for (const name of created) process.stdout.write(`created ${name}\n`)
    if (created.length === 0) process.stdout.write('nothing was missing\n')
    assertRight(wrong)
  },
}

export const topicsVerify: Command = {
  usage: 'topics verify [--brokers LIST] [--prefix TEXT]',
  summary: 'say how the topics differ from what they must be',
  options,
  async run(args) {
    assertRight(await verifyTopics(kafkaOf(args)))
    process.stdout.write('every topic is as it must be\n')
  },
}

function kafkaOf(args: readonly string[]): KafkaOptions {
  const values = readOptions(args, { brokers: { type: 'string' }, prefix: { type: 'string' } })
  const here = findInstallation()?.kafka
  const named = values.brokers ?? process.env.KAFKA_BROKERS
  const brokers = named?.split(',').map(broker => broker.trim()) ?? here?.brokers
  if (brokers === undefined || brokers.some(broker => !/^[^\s:]+:\d{1,5}$/.test(broker))) {
    throw new UsageError('Say where Kafka is, as host:port: --brokers, or KAFKA_BROKERS in the environment.')
  }
  const prefix =
    values.prefix ?? process.env.KAFKA_TOPIC_PREFIX ?? (named === undefined ? here?.topicPrefix : undefined)
  return { clientId: 'grantlog-cli', brokers, ...(prefix !== undefined && { topicPrefix: prefix }) }
}

function assertRight(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}
