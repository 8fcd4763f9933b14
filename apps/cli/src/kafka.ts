import type { KafkaOptions } from '@grantlog/eventing'
import { findInstallation } from './installation.js'
import { UsageError } from './usage-error.js'

/** The options with which a command is told where Kafka is, for `readOptions`. */
export const kafkaOptions = { brokers: { type: 'string' }, prefix: { type: 'string' } } as const

export const kafkaHelp = {
  '--brokers LIST':
    'host:port, separated by commas; KAFKA_BROKERS, or those of the npm start here, without it',
  '--prefix TEXT': 'stands before each topic’s name; KAFKA_TOPIC_PREFIX without it',
}

interface Values {
  readonly brokers?: string | undefined
  readonly prefix?: string | undefined
}

/** @throws UsageError where neither the options nor the environment nor an installation says where Kafka is */
export function kafkaOf(values: Values): KafkaOptions {
  const kafka = findKafka(values)
  if (kafka === undefined)
    throw new UsageError('Say where Kafka is, as host:port: --brokers, or KAFKA_BROKERS in the environment.')
  return kafka
}

/** undefined where nothing says where Kafka is. @throws UsageError for what is no list of brokers */
export function findKafka(values: Values): KafkaOptions | undefined {
  const here = findInstallation()?.kafka
  const named = values.brokers ?? process.env.KAFKA_BROKERS
  const brokers = named?.split(',').map(broker => broker.trim()) ?? here?.brokers
  if (brokers === undefined) return undefined
  if (brokers.some(broker => !/^[^\s:]+:\d{1,5}$/.test(broker)))
    throw new UsageError('Say where Kafka is, as host:port: --brokers, or KAFKA_BROKERS in the environment.')
  const prefix =
    values.prefix ?? process.env.KAFKA_TOPIC_PREFIX ?? (named === undefined ? here?.topicPrefix : undefined)
  return { clientId: 'grantlog-cli', brokers, ...(prefix !== undefined && { topicPrefix: prefix }) }
}
