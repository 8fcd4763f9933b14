import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from '../command.js'
import { readOptions } from '../command.js'
import { findInstallation } from '../installation.js'

/** The clients service does it, in its own process: nobody else may write its log. */
export const clientsBootstrap: Command = {
  usage: 'clients bootstrap [--json]',
  summary: 'register the operator’s client, once; prints its secret, once',
  options: {
    '--json': 'one JSON object: client_id, client_secret',
  },
  async run(args) {
    readOptions(args, { json: { type: 'boolean' } })
    const main = join(import.meta.dirname, '../../../clients/dist/main.js')
    const child = spawn(process.execPath, [main, 'bootstrap', ...args], {
      stdio: 'inherit',
      env: { ...environmentHere(), ...process.env },
    })
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', code => resolve(code ?? 1))
    })
  },
}

/** Where the environment does not say: the installation that npm start runs here. */
function environmentHere(): NodeJS.ProcessEnv {
  const installation = findInstallation()
  if (installation === undefined) return {}
  const { databases, urls, kafka } = installation
  return {
    DATABASE_URL: databases.clients,
    ISSUER: urls.token,
    PORT: '0',
    ...(kafka
      ? {
          EVENT_TRANSPORT: 'kafka',
          KAFKA_BROKERS: kafka.brokers.join(','),
          KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
        }
      : {
          EVENT_TRANSPORT: 'embedded',
          EVENT_SOURCES: `consent=${databases.consent},token=${databases.token}`,
        }),
  }
}
