import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Service, services } from '@grantlog/contracts'
import { z } from 'zod'

const description = z.object({
  transport: z.enum(['embedded', 'kafka']),
  databases: z.record(z.string(), z.string()),
  urls: z.record(z.string(), z.string()),
  kafka: z
    .object({
      brokers: z.array(z.string()),
      topicPrefix: z.string(),
      /** Of the broker that npm start has started. */
      admin: z
        .object({ mechanism: z.literal('scram-sha-512'), username: z.string(), password: z.string() })
        .optional(),
    })
    .optional(),
})

const secrets = z.object({
  codeKeys: z.string(),
  keyEncryptionKey: z.string(),
  clientSecretKeys: z.string(),
})

/** What `npm start` says of the installation that it runs, and the folder in which it does. */
export type Installation = z.infer<typeof description> & { readonly folder: string }

/** The installation of this folder or of the nearest above it; undefined when there is none. */
export function findInstallation(from = process.cwd()): Installation | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, '.grantlog/installation.json')
    if (existsSync(path)) return { ...description.parse(readJson(path)), folder: dirname(path) }
    if (dirname(folder) === folder) return undefined
  }
}

/** Where each service keeps its log. */
export function databasesOf(installation: Installation): ReadonlyMap<Service, string> {
  return new Map(
    services.flatMap(service => {
      const url = installation.databases[service]
      return url === undefined ? [] : [[service, url] as const]
    }),
  )
}

/** What the services are told beside the public settings. */
export function secretsOf({ folder, transport }: Installation): NodeJS.ProcessEnv {
  const { codeKeys, keyEncryptionKey, clientSecretKeys } = secrets.parse(
    readJson(join(folder, transport, 'secrets.json')),
  )
  return {
    CODE_KEYS: codeKeys,
    KEY_ENCRYPTION_KEY: keyEncryptionKey,
    CLIENT_SECRET_KEYS: clientSecretKeys,
  }
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
