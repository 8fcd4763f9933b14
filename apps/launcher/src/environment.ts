import { grantsOf, type Site } from '@grantlog/demonstration'
import type { Premises, ServiceName } from './installation.js'

/** How the services reach each other's events, and their own databases. */
export interface Backbone {
  readonly transport: 'embedded' | 'kafka'
  /** As the owner of the database. */
  readonly databaseUrl: (service: DatabaseName) => string
  /** As the role that the service runs as. */
  readonly serviceUrl: (service: DatabaseName) => string
  readonly kafka?: {
    readonly brokers: readonly string[]
    readonly topicPrefix: string
    /** Of `admin` and of each service, where the broker asks for one. */
    readonly passwords?: Readonly<Record<string, string>>
  }
}

export const databaseNames = ['clients', 'consent', 'token', 'resource'] as const
export type DatabaseName = (typeof databaseNames)[number]

export const audienceOf = (installation: Premises) => `${installation.url('resource')}/invoices`
export const grantsUrlOf = (installation: Premises) => grantsOf(siteOf(installation))

/** Where the installation is reached. */
export function siteOf(installation: Premises): Site {
  return {
    issuer: installation.url('token'),
    clients: installation.url('clients'),
    consent: installation.url('consent'),
    audience: audienceOf(installation),
    application: installation.url('sample-client'),
  }
}

/** The environment of one service: what it needs and nothing of the others. */
export function environmentOf(
  service: ServiceName,
  installation: Premises,
  backbone: Backbone,
): NodeJS.ProcessEnv {
  const { secrets, demo } = installation
  const common = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_ENV: 'production',
    PORT: String(installation.ports[service]),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
    ISSUER: installation.url('token'),
  }
  switch (service) {
    case 'clients':
      return { ...common, ...events(service, backbone), CLIENT_SECRET_KEYS: secrets.clientSecretKeys }
    case 'consent':
      return {
        ...common,
        ...events(service, backbone),
        PUBLIC_URL: installation.url('consent'),
        CODE_KEYS: secrets.codeKeys,
        SESSION_KEY: secrets.consentSessionKey,
        CLIENT_SECRET_KEYS: secrets.clientSecretKeys,
      }
    case 'token':
      return {
        ...common,
        ...events(service, backbone),
        AUTHORIZATION_ENDPOINT: `${installation.url('consent')}/authorize`,
        PUSHED_AUTHORIZATION_REQUEST_ENDPOINT: `${installation.url('consent')}/par`,
        DEVICE_AUTHORIZATION_ENDPOINT: `${installation.url('consent')}/device_authorization`,
        CODE_KEYS: secrets.codeKeys,
        KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey,
        CLIENT_SECRET_KEYS: secrets.clientSecretKeys,
      }
    case 'resource':
      return {
        ...common,
        ...events(service, backbone),
        PUBLIC_URL: installation.url('resource'),
        AUDIENCE: audienceOf(installation),
        ...(demo && {
          POSITIONS_ENDPOINT: `${installation.url('consent')}/positions`,
          POSITIONS_CLIENT_ID: demo.apiClient.id,
          POSITIONS_CLIENT_SECRET: demo.apiClient.secret,
        }),
      }
    case 'sample-client':
      return {
        ...common,
        PUBLIC_URL: installation.url('sample-client'),
        RESOURCE: audienceOf(installation),
        GRANTS_URL: grantsUrlOf(installation),
        SESSION_KEY: secrets.sampleSessionKey,
        CONFIDENTIAL_CLIENT_ID: demo?.confidential.id,
        CONFIDENTIAL_CLIENT_SECRET: demo?.confidential.secret,
        PUBLIC_CLIENT_ID: demo?.publicClient.id,
      }
  }
}

/** What a service's `migrate` needs. */
export function migrationEnvironment(service: DatabaseName, backbone: Backbone): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_ENV: 'production',
    DATABASE_URL: backbone.databaseUrl(service),
    DATABASE_ROLE: new URL(backbone.serviceUrl(service)).username,
  }
}

function events(service: DatabaseName, { transport, serviceUrl, kafka }: Backbone): NodeJS.ProcessEnv {
  const others = (['clients', 'consent', 'token'] as const).filter(name => name !== service)
  return {
    DATABASE_URL: serviceUrl(service),
    EVENT_TRANSPORT: transport,
    ...(kafka
      ? {
          KAFKA_BROKERS: kafka.brokers.join(','),
          KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
          ...(kafka.passwords && { KAFKA_USERNAME: service, KAFKA_PASSWORD: kafka.passwords[service] }),
        }
      : { EVENT_SOURCES: others.map(name => `${name}=${serviceUrl(name)}`).join(',') }),
  }
}
