import type { Service } from '@grantlog/contracts'
import {
  type AnyDecider,
  type Bars,
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
import { type Contradiction, type Shape, type ValuesOf } from './config.js'
import { poolOf } from './database.js'
import { isDatabaseUrl, setting } from './setting.js'

/** What a service has to do with events: whose log it writes, and the read models that it keeps. */
export interface EventsDefinition {
  /** undefined: it writes none. */
  readonly service: Service | undefined
  readonly projections: readonly Projection[]
  /** What decides about its streams: `doctor` replays them, and the service sees to what time brings. */
  readonly deciders?: readonly AnyDecider[]
  /** What keeps appends from being stored that say that it may. */
  readonly bars?: Bars
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
    setting.parsedSecret(parseSources, {
      describe:
        'With the embedded transport: the databases of the other services, as name=url, separated by commas.',
      example: 'clients=postgres://…,token=postgres://…',
    }),
  ),
  KAFKA_BROKERS: setting.brokers({
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
    setting.topicPrefix({
      describe: 'Put before every topic name, where several installations share a Kafka.',
      example: 'staging.',
    }),
  ),
} as const satisfies Shape

export type EventValues = ValuesOf<typeof eventSettings>

/** Settings of which one is of no use, or does harm, without the other. */
export const eventContradictions = [
  ({ EVENT_TRANSPORT, EVENT_SOURCES }) =>
    EVENT_TRANSPORT === 'embedded' && EVENT_SOURCES === undefined
      ? 'EVENT_SOURCES is missing: EVENT_TRANSPORT=embedded reads the other services’ databases, for example EVENT_SOURCES=clients=postgres://…,token=postgres://…'
      : undefined,
  ({ EVENT_TRANSPORT, KAFKA_BROKERS }) =>
    EVENT_TRANSPORT === 'kafka' && [KAFKA_BROKERS].flat().length === 0
      ? 'KAFKA_BROKERS is missing: EVENT_TRANSPORT=kafka asks them first, for example KAFKA_BROKERS=kafka:9092'
      : undefined,
  ({ KAFKA_USERNAME, KAFKA_PASSWORD }) =>
    KAFKA_USERNAME !== undefined && KAFKA_PASSWORD === undefined
      ? 'KAFKA_PASSWORD is missing: KAFKA_USERNAME logs in by it, for example KAFKA_PASSWORD=32 characters'
      : undefined,
  ({ KAFKA_USERNAME, KAFKA_PASSWORD }) =>
    KAFKA_USERNAME === undefined && KAFKA_PASSWORD !== undefined
      ? 'KAFKA_USERNAME is missing: KAFKA_PASSWORD is somebody’s, for example KAFKA_USERNAME=token'
      : undefined,
  ({ KAFKA_TLS, KAFKA_CA_CERTIFICATES }) =>
    KAFKA_TLS === 'off' && KAFKA_CA_CERTIFICATES !== undefined
      ? 'KAFKA_CA_CERTIFICATES is of no use without TLS, for example KAFKA_TLS=on'
      : undefined,
  ({ KAFKA_TLS, KAFKA_USERNAME, KAFKA_SASL_MECHANISM }) =>
    KAFKA_TLS === 'off' && KAFKA_USERNAME !== undefined && KAFKA_SASL_MECHANISM === 'plain'
      ? 'KAFKA_SASL_MECHANISM=plain would show the password to the network, for example KAFKA_TLS=on'
      : undefined,
] as const satisfies readonly Contradiction[]

/** The databases of other services, by name. @throws Error with a sentence that shows no password */
function parseSources(text: string): Readonly<Record<string, string>> {
  const entries = text.split(',').map(entry => {
    const [, name, url = ''] = /^(clients|consent|token)=(\S+)$/.exec(entry.trim()) ?? []
    if (name === undefined || !isDatabaseUrl(url))
      throw new Error('It must list sources as name=postgres://…, separated by commas.')
    return [name, url] as const
  })
  const sources = Object.fromEntries(entries)
  if (Object.keys(sources).length < entries.length) throw new Error('It names a source twice.')
  return sources
}
type KafkaValues = Omit<
  EventValues,
  'EVENT_TRANSPORT' | 'EVENT_SOURCES' | 'KAFKA_BROKERS' | 'KAFKA_TOPIC_PREFIX'
>

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
  if (values.EVENT_TRANSPORT === 'embedded')
    return { remote: new EmbeddedTransport(values.EVENT_SOURCES ?? {}), sink: undefined }
  const options = {
    clientId: `grantlog-${name}`,
    brokers: values.KAFKA_BROKERS,
    ...kafkaSecurity(values),
    ...(values.KAFKA_TOPIC_PREFIX !== undefined && { topicPrefix: values.KAFKA_TOPIC_PREFIX }),
  }
  return { remote: new KafkaTransport(options), sink: service && new KafkaSink(options) }
}

/** How the brokers are reached. */
export function kafkaSecurity(values: KafkaValues): Pick<KafkaOptions, 'sasl' | 'tls'> {
  const {
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_TLS: tls,
    KAFKA_CA_CERTIFICATES: ca,
  } = values
  return {
    ...(username !== undefined && password !== undefined && { sasl: { mechanism, username, password } }),
    ...(tls === 'on' && { tls: ca ? { ca: ca.map(String) } : true }),
  }
}
