import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Service, services } from '@grantlog/contracts'
import { findInstallation, type Installation, secretsOf } from './installation.js'

/**
 * Runs a command of a service’s own program, in a process of its own: nobody else may write the service’s log. What the environment
 * does not say is that of the installation that npm start runs here. Our exit code becomes its.
 */
export async function runServiceCommand(
  service: 'clients' | 'token',
  args: readonly string[],
): Promise<void> {
  const main = join(import.meta.dirname, `../../${service}/dist/main.js`)
  const installation = findInstallation()
  const child = spawn(process.execPath, [main, ...args], {
    stdio: 'inherit',
    env: { ...(installation && environmentOf(service, installation)), ...process.env },
  })
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })
}

function environmentOf(service: 'clients' | 'token', installation: Installation): NodeJS.ProcessEnv {
  const { databases, urls, kafka } = installation
  return {
    DATABASE_URL: databases[service],
    ISSUER: urls.token,
    PORT: '0',
    ...secretsOf(installation),
    ...(service === 'token' && {
      AUTHORIZATION_ENDPOINT: `${urls.consent}/authorize`,
      PUSHED_AUTHORIZATION_REQUEST_ENDPOINT: `${urls.consent}/par`,
      DEVICE_AUTHORIZATION_ENDPOINT: `${urls.consent}/device_authorization`,
    }),
    ...(kafka
      ? {
          EVENT_TRANSPORT: 'kafka',
          KAFKA_BROKERS: kafka.brokers.join(','),
          KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
          ...(kafka.admin && {
            KAFKA_USERNAME: kafka.admin.username,
            KAFKA_PASSWORD: kafka.admin.password,
          }),
        }
      : { EVENT_TRANSPORT: 'embedded', EVENT_SOURCES: othersOf(service, databases) }),
  }
}

function othersOf(service: Service, databases: Installation['databases']): string {
  const others = services.filter(name => name !== service)
  return others.map(name => `${name}=${databases[name]}`).join(',')
}
