import type { KafkaLogin, KafkaOptions } from '@grantlog/eventing'
import { findInstallation } from './installation.js'
import { settingOf } from './secret.js'
import { UsageError } from './usage-error.js'

/** The options with which a command is told where Kafka is, for `readOptions`. */
export const kafkaOptions = { brokers: { type: 'string' }, prefix: { type: 'string' } } as const

export const kafkaHelp = {
  '--brokers LIST':
    'host:port, separated by commas; KAFKA_BROKERS, or those of the npm start here, without it.\n' +
    `${' '.repeat(21)}How they are reached: KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_TLS …, as the services’`,
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
  return {
    clientId: 'grantlog-cli',
    brokers,
    ...(prefix !== undefined && { topicPrefix: prefix }),
    ...(named === undefined && here?.admin ? { sasl: here.admin } : securityOf()),
  }
}

/** What the services are told by the same settings. */
function securityOf(): Pick<KafkaOptions, 'sasl' | 'tls'> {
  const [username, password, ca] = ['KAFKA_USERNAME', 'KAFKA_PASSWORD', 'KAFKA_CA_CERTIFICATES'].map(
    settingOf,
  )
  const mechanism = process.env.KAFKA_SASL_MECHANISM || 'scram-sha-512'
  const tls = process.env.KAFKA_TLS === 'on'
  if (!isMechanism(mechanism))
    throw new UsageError(`KAFKA_SASL_MECHANISM must be one of ${mechanisms.join(', ')}, not “${mechanism}”.`)
  if ((username === undefined) !== (password === undefined))
    throw new UsageError('Set both KAFKA_USERNAME and KAFKA_PASSWORD, or neither.')
  if (!tls && (ca !== undefined || mechanism === 'plain')) throw new UsageError('Set KAFKA_TLS=on.')
  return {
    ...(username !== undefined && password !== undefined && { sasl: { mechanism, username, password } }),
    ...(tls && { tls: ca === undefined ? true : { ca: [ca] } }),
  }
}

const mechanisms: readonly KafkaLogin['mechanism'][] = ['scram-sha-512', 'scram-sha-256', 'plain']
const isMechanism = (name: string): name is KafkaLogin['mechanism'] =>
  mechanisms.some(known => known === name)
