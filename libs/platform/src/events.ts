import type { Service } from '@grantlog/contracts'
import {
  type AnyDecider,
  EmbeddedTransport,
  Eventing,
  KafkaSink,
  KafkaTransport,
  type Projection,
} from '@grantlog/eventing'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { Clock } from './clock.js'
import { type Shape, setting } from './config.js'
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
  KAFKA_TOPIC_PREFIX: setting.optional(
    setting.text({
      describe: 'Put before every topic name, where several installations share a Kafka.',
      example: 'staging.',
    }),
  ),
} as const satisfies Shape

interface EventValues {
  readonly EVENT_TRANSPORT: 'embedded' | 'kafka'
  readonly EVENT_SOURCES: string | undefined
  readonly KAFKA_BROKERS: readonly string[]
  readonly KAFKA_TOPIC_PREFIX: string | undefined
}

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
    ...(values.KAFKA_TOPIC_PREFIX !== undefined && { topicPrefix: values.KAFKA_TOPIC_PREFIX }),
  }
  return { remote: new KafkaTransport(options), sink: service && new KafkaSink(options) }
}
