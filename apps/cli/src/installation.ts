import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Service, services } from '@grantlog/contracts'
import { z } from 'zod'

const description = z.object({
  transport: z.enum(['embedded', 'kafka']),
  databases: z.record(z.string(), z.string()),
  urls: z.record(z.string(), z.string()),
  kafka: z.object({ brokers: z.array(z.string()), topicPrefix: z.string() }).optional(),
})

/** What `npm start` says of the installation that it runs. */
export type Installation = z.infer<typeof description>

/** The installation of this folder or of the nearest above it; undefined when there is none. */
export function findInstallation(from = process.cwd()): Installation | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, '.grantlog/installation.json')
    if (existsSync(path)) return description.parse(JSON.parse(readFileSync(path, 'utf8')))
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
