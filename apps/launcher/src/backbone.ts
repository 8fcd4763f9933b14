import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  applyAccess,
  applyTopics,
  type KafkaLogin,
  type KafkaOptions,
  prepareDatabase,
  type Roles,
} from '@grantlog/eventing'
import { type KafkaBroker, kafkaAvailable, startKafka, startPostgres } from '@grantlog/servers'
import { step } from './console.js'
import { type Backbone, type DatabaseName, databaseNames } from './environment.js'
import type { Installation } from './installation.js'
import type { Options } from './options.js'

/** Starts what the services stand on: Postgres with a database for each, and Kafka where it is asked for. */
export async function startBackbone(
  installation: Installation,
  options: Options,
): Promise<{ backbone: Backbone; broker?: KafkaBroker; stop: () => Promise<void> }> {
  const roles = Object.fromEntries(databaseNames.map(name => [name, createRoles(name)])) as Record<
    DatabaseName,
    Roles
  >
  const postgres = await step(
    'Postgres',
    async () => {
      const server = await startPostgres({
        dir: join(installation.folder, 'postgres'),
        persistent: !installation.temporary,
      })
      for (const name of databaseNames)
        await prepareDatabase(server.url('postgres'), databaseOf(name), roles[name])
      return server
    },
    server => `port ${server.port}, a database and two roles per service`,
  )
  const urlAs = (who: keyof Roles) => (name: DatabaseName) =>
    withRole(postgres.url(databaseOf(name)), roles[name][who])
  const databases = { databaseUrl: urlAs('owner'), serviceUrl: urlAs('service') }
  if (options.transport === 'embedded')
    return { backbone: { transport: 'embedded', ...databases }, stop: () => postgres.stop() }

  try {
    const kafka = await startOrFindKafka(installation)
    const topicPrefix = `${installation.secrets.id}.`
    const passwords = 'passwords' in kafka ? kafka.passwords : undefined
    const login = passwords && { sasl: adminOf(passwords) }
    await step(
      'Kafka topics',
      () => createTopics({ clientId: 'grantlog-launcher', brokers: kafka.brokers, topicPrefix, ...login }),
      () => `${topicPrefix}grantlog.*`,
    )
    return {
      backbone: {
        transport: 'kafka',
        ...databases,
        kafka: { brokers: kafka.brokers, topicPrefix, ...(passwords && { passwords }) },
      },
      ...('kill' in kafka && { broker: kafka }),
      stop: async () => {
        await kafka.stop()
        await postgres.stop()
      },
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

const databaseOf = (service: string) => `grantlog_${service}`

/** With passwords that hold until the next start. */
function createRoles(service: DatabaseName): Roles {
  const password = () => randomBytes(18).toString('base64url')
  const name = databaseOf(service)
  return { owner: { name: `${name}_owner`, password: password() }, service: { name, password: password() } }
}

function withRole(url: string, { name, password }: Roles['owner']): string {
  return Object.assign(new URL(url), { username: name, password }).href
}

async function startOrFindKafka(
  installation: Installation,
): Promise<KafkaBroker | { brokers: readonly string[]; stop: () => Promise<void> }> {
  const named = process.env.KAFKA_BROKERS
  if (named) {
    const brokers = named.split(',').map(broker => broker.trim())
    return { brokers, stop: async () => undefined }
  }
  const available = kafkaAvailable()
  if (!available.ok)
    throw new Error(
      `${available.reason} Or name a broker of yours: KAFKA_BROKERS=host:port npm run start:kafka`,
    )
  return step(
    'Kafka',
    () => startKafka({ dir: join(installation.folder, 'kafka'), users: databaseNames }),
    ({ port }) => `port ${port}, a single KRaft broker, a user per service`,
  )
}

async function createTopics(kafka: KafkaOptions): Promise<void> {
  const { wrong } = await withTimeout(
    applyTopics(kafka),
    30_000,
    `Kafka does not answer at ${kafka.brokers.join(', ')}`,
  )
  if (wrong.length > 0) throw new Error(wrong.join('; '))
  // another broker’s rights are its operator’s affair
  if (kafka.sasl) await applyAccess(kafka)
}

/** Who may do anything on the broker that was started here. */
export function adminOf(passwords: KafkaBroker['passwords']): KafkaLogin {
  return { mechanism: 'scram-sha-512', username: 'admin', password: passwords.admin ?? '' }
}

async function withTimeout<T>(work: Promise<T>, milliseconds: number, failure: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(failure)), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
