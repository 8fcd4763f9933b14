import type { Service } from '@grantlog/contracts'
import {
  type AnyDecider,
  EmbeddedTransport,
  Eventing,
  type KafkaOptions,
  KafkaSink,
  KafkaTransport,
  type Projection,
} from '@grantlog/eventing'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { Clock } from './clock.js'
import { type Shape, setting, type ValuesOf } from './config.js'
import { poolOf } from './database.js'

/** What a service has to do with events: whose log it writes, and the read models that it keeps. */
export interface EventsDefinition {
  /** undefined: it writes none. */
  readonly service: Service | undefined
  readonly projections: readonly Projection[]
  /** What decides about its streams: `doctor` replays them, and the service sees to what time brings. */
  readonly deciders?: readonly AnyDecider[]
}

/** How events come and go. */
export const eventSettings = {
  EVENT_TRANSPORT: setting.oneOf(['embedded', 'kafka'], {
    describe:
      'How events reach the other services: through Kafka, or by reading each other’s logs on one machine.',
    example: 'kafka',
    default: 'kafka',
  }),
  EVENT_SOURCES: setting.optional(
    setting.secret({
      describe:
        'With the embedded transport: the databases of the other services, as name=url, separated by commas.',
      example: 'clients=postgres://…,token=postgres://…',
      pattern:
        /^(clients|consent|token)=postgres(ql)?:\/\/[^,\s]+(,(clients|consent|token)=postgres(ql)?:\/\/[^,\s]+)*$/,
      wrong: 'must list sources as name=postgres://…, separated by commas',
    }),
  ),
  KAFKA_BROKERS: setting.list({
    describe: 'With Kafka: the brokers to ask first, as host:port, separated by commas.',
    example: 'kafka-1:9092,kafka-2:9092',
    default: '',
  }),
  KAFKA_USERNAME: setting.optional(
    setting.text({
      describe: 'With Kafka: as whom to log in, by SASL. Without it nobody does.',
      example: 'token',
    }),
  ),
  KAFKA_PASSWORD: setting.optional(
    setting.secret({ describe: 'With Kafka: the password of KAFKA_USERNAME.', example: '32 characters' }),
  ),
  KAFKA_SASL_MECHANISM: setting.oneOf(['scram-sha-512', 'scram-sha-256', 'plain'], {
    describe: 'With Kafka: how the password is proved; plain shows it to the broker, and needs TLS.',
    example: 'scram-sha-256',
    default: 'scram-sha-512',
  }),
  KAFKA_TLS: setting.oneOf(['on', 'off'], {
    describe: 'With Kafka: whether brokers are reached by TLS.',
    example: 'on',
    default: 'off',
  }),
  KAFKA_CA_CERTIFICATES: setting.optional(
    setting.certificates({
      describe: 'With Kafka: who may have issued the brokers’ certificates; without it whom Node trusts.',
      example: '"$(cat ca.pem)"',
    }),
  ),
  KAFKA_TOPIC_PREFIX: setting.optional(
    setting.text({
      describe: 'Put before every topic name, where several installations share a Kafka.',
      example: 'staging.',
    }),
  ),
} as const satisfies Shape

export type EventValues = ValuesOf<typeof eventSettings>
type KafkaValues = Omit<
  EventValues,
  'EVENT_TRANSPORT' | 'EVENT_SOURCES' | 'KAFKA_BROKERS' | 'KAFKA_TOPIC_PREFIX'
>

/** @throws Error when the chosen transport lacks its settings */
export function createEventing(
  name: string,
  definition: EventsDefinition,
  values: EventValues,
  { db, logger, clock }: { db: DataSource; logger: Logger; clock: Clock },
): Eventing {
  const { remote, sink } = transportOf(name, definition, values)
  return new Eventing({
    pool: poolOf(db),
    ...definition,
    remote,
    sink,
    report: error => logger.warn({ err: error }, 'events are held up'),
    now: () => clock.now(),
  })
}

function transportOf(name: string, { service }: EventsDefinition, values: EventValues) {
  if (values.EVENT_TRANSPORT === 'embedded') {
    const sources = (values.EVENT_SOURCES ?? '').split(',').filter(entry => entry !== '')
    const databases = Object.fromEntries(
      sources.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    )
    return { remote: new EmbeddedTransport(databases), sink: undefined }
  }
  if (values.KAFKA_BROKERS.length === 0)
    throw new Error(
      'KAFKA_BROKERS is missing: with EVENT_TRANSPORT=kafka it names the brokers, for example KAFKA_BROKERS=kafka:9092',
    )
  const options = {
    clientId: `grantlog-${name}`,
    brokers: values.KAFKA_BROKERS,
    ...kafkaSecurity(values),
    ...(values.KAFKA_TOPIC_PREFIX !== undefined && { topicPrefix: values.KAFKA_TOPIC_PREFIX }),
  }
  return { remote: new KafkaTransport(options), sink: service && new KafkaSink(options) }
}

/** How the brokers are reached. @throws Error for settings that contradict each other */
export function kafkaSecurity(values: KafkaValues): Pick<KafkaOptions, 'sasl' | 'tls'> {
  const {
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_TLS: tls,
    KAFKA_CA_CERTIFICATES: ca,
  } = values
  if ((username === undefined) !== (password === undefined))
    throw new Error(
      `${username === undefined ? 'KAFKA_USERNAME' : 'KAFKA_PASSWORD'} is missing: set both KAFKA_USERNAME and KAFKA_PASSWORD, or neither`,
    )
  if (tls === 'off' && ca !== undefined)
    throw new Error('KAFKA_CA_CERTIFICATES is of no use without TLS: set KAFKA_TLS=on')
  if (tls === 'off' && username !== undefined && mechanism === 'plain')
    throw new Error('KAFKA_SASL_MECHANISM=plain would show the password to the network: set KAFKA_TLS=on')
  return {
    ...(username !== undefined && password !== undefined && { sasl: { mechanism, username, password } }),
    ...(tls === 'on' && { tls: ca ? { ca: ca.map(String) } : true }),
  }
}
