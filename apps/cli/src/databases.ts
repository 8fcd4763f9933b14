import { type Service, services } from '@grantlog/contracts'
import pg from 'pg'
import { databasesOf, findInstallation } from './installation.js'
import { UsageError } from './usage-error.js'

/** @throws UsageError for a name that is none of a service that writes events */
export function serviceNamed(option: string, name: string): Service {
  const service = services.find(known => known === name)
  if (service === undefined)
    throw new UsageError(`${option} must be one of ${services.join(', ')}, not “${name}”.`)
  return service
}

/**
 * Where the logs are: as given, `SERVICE=URL` each, else those of the npm start here.
 * @throws UsageError for what is malformed
 */
export function databasesFrom(given: readonly string[]): ReadonlyMap<Service, string> {
  if (given.length === 0) {
    const installation = findInstallation()
    return installation === undefined ? new Map() : databasesOf(installation)
  }
  return new Map(
    given.map(entry => {
      const [, name = '', url = ''] = /^([a-z-]+)=(postgres(?:ql)?:\/\/.+)$/s.exec(entry) ?? []
      if (url === '') throw new UsageError('--database must be SERVICE=postgres://….')
      return [serviceNamed('The service of --database', name), url]
    }),
  )
}

/** A session of its own. @throws Error with a sentence that shows no password */
export async function connect(service: Service, url: string): Promise<pg.Client> {
  const db = new pg.Client({ connectionString: url, application_name: 'grantlog' })
  db.on('error', () => undefined) // the next query says it
  try {
    await db.connect()
    return db
  } catch (error) {
    await db.end().catch(() => undefined) // it never began
    const { host, pathname } = URL.parse(url) ?? { host: '', pathname: 'that is no URL' }
    const why = error instanceof Error ? error.message || 'nobody answers' : String(error)
    throw new Error(`The database of ${service}, ${host}${pathname}, can not be reached: ${why}.`)
  }
}
