import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceName } from '@grantlog/launcher'
import { certificates } from '@grantlog/testing'

/** A setting as a service tells it. */
export interface Row {
  readonly name: string
  readonly type: string
  readonly secret: boolean
  readonly file: boolean
  readonly default?: string
  readonly optional: boolean
  readonly example: string
}

const root = join(import.meta.dirname, '../../..')
export const mainOf = (service: ServiceName) => join(root, 'apps', service, 'dist/main.js')

/** The same before it was made one file: its modules are loaded once, however often it begins in one process. */
export const modulesOf = (service: ServiceName) => join(root, 'apps', service, 'compiled/main.js')

/** For programs that are started again and again. */
export const compiled = { NODE_COMPILE_CACHE: join(tmpdir(), 'grantlog-compiled') }

const told = new Map<ServiceName, readonly Row[]>()

export function settingsOf(service: ServiceName): readonly Row[] {
  const args = [mainOf(service), 'settings']
  const rows: readonly Row[] =
    told.get(service) ?? JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: compiled }))
  told.set(service, rows)
  return rows
}

export const isMandatory = (row: Row) => row.default === undefined && !row.optional

/** What a wrong value has that nobody may read, where the setting is a secret. */
export const mark = 'hunter2'

/** Of each type, by the first word or words that the reference has for it; undefined: any text is right. */
const wrongValues: readonly (readonly [RegExp, string | undefined])[] = [
  [/^integer (\d+)–(\d+)$/, '-1'],
  [/^URL/, `http://example.com/${mark}`],
  [/^certificates in PEM$/, `-----BEGIN CERTIFICATE-----\n${mark}\n-----END CERTIFICATE-----`],
  [/^host$/, 'http://127.0.0.1'],
  [/^host:port/, 'kafka'],
  [/^name of a header$/, 'client cert'],
  [/^prefix$/, 'a/b'],
  [/^origins/, 'app.example.com'],
  [/^addresses and networks/, '10.0.0.0/0'],
  [/^\w[\w-]* \\\| /, 'neither'], // one of several words
  [/^secret$/, mark],
  [/^text$/, undefined],
]

/** Of secrets that are whatever somebody else chose. */
const freeSecrets = ['KAFKA_PASSWORD', 'CONFIDENTIAL_CLIENT_SECRET', 'POSITIONS_CLIENT_SECRET']

/** @returns undefined where any text is right. @throws Error for a type that is not in the table */
export function wrongValueOf({ name, type }: Row): string | undefined {
  const found = wrongValues.find(([pattern]) => pattern.test(type))
  if (found === undefined) throw new Error(`No wrong value is known for ${name}, ${type}`)
  return freeSecrets.includes(name) ? undefined : found[1]
}

const key = 'A'.repeat(43)
const rights: Readonly<Record<string, string>> = {
  EVENT_TRANSPORT: 'embedded',
  CODE_KEYS: `k1:${key}`,
  SESSION_KEY: key,
  KEY_ENCRYPTION_KEY: key,
  CLIENT_SECRET_KEYS: key,
  CONFIDENTIAL_CLIENT_SECRET: 'a-client-secret',
  KAFKA_PASSWORD: 'a-password',
  POSITIONS_CLIENT_SECRET: 'a-secret-of-the-api',
  CLIENT_CERTIFICATE_AUTHORITIES: certificates.authority,
  KAFKA_CA_CERTIFICATES: certificates.authority,
}

/** An environment with which the service would start. @param port of what stands where Postgres would, and where it would listen */
export function rightEnvironment(rows: readonly Row[], port: number): Record<string, string> {
  const url = `postgres://somebody:pass@127.0.0.1:${port}/test`
  const all: Record<string, string> = {
    ...rights,
    PORT: String(port),
    DATABASE_URL: url,
    EVENT_SOURCES: `token=${url}`,
  }
  const needed = rows.filter(
    row => isMandatory(row) || ['EVENT_TRANSPORT', 'EVENT_SOURCES'].includes(row.name),
  )
  return Object.fromEntries(needed.map(({ name, example }) => [name, all[name] ?? example]))
}

/** What is right for a setting, whether it is needed or not. */
export const rightValueOf = ({ name, example }: Row, right: Readonly<Record<string, string>>) =>
  right[name] ?? rights[name] ?? example
