import { readFileSync } from 'node:fs'
import { lowerFirst, type Setting, setting } from './setting.js'

export type Shape = Readonly<Record<string, Setting<unknown>>>
export type ValuesOf<S extends Shape> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never
}

export interface ConfigDefinition<S extends Shape = Shape> {
  readonly service: string
  readonly settings: S
  /** Finds what contradicts in settings that are right each by itself. */
  readonly contradictions?: readonly Contradiction[]
}

/** A line that begins with the variable’s name, and ends with an example. */
export type Contradiction = (values: Readonly<Record<string, unknown>>) => string | undefined

export type ConfigOf<D extends ConfigDefinition> = ValuesOf<D['settings']>

/** What every service can be told. */
export const commonSettings = {
  HOST: setting.host({ describe: 'Address to listen on.', example: '0.0.0.0', default: '127.0.0.1' }),
  PORT: setting.integer({ min: 0, max: 65_535, describe: 'Port to listen on.', example: '4003' }),
  LOG_LEVEL: setting.oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    describe: 'What is worth a line in the log.',
    example: 'debug',
    default: 'info',
  }),
  SHUTDOWN_GRACE_SECONDS: setting.integer({
    min: 0,
    max: 300,
    describe: 'How long requests in flight may take when the service is asked to stop.',
    example: '30',
    default: '10',
  }),
  SHUTDOWN_DELAY_SECONDS: setting.integer({
    min: 0,
    max: 60,
    describe:
      'How long it goes on serving, ready no more, when it is asked to stop: longer than a balancer that asks `/health/ready` takes to notice.',
    example: '5',
    default: '0',
  }),
  TRUSTED_PROXIES: setting.networks({
    describe: 'Addresses or networks whose forwarded headers are believed; none by default.',
    example: '10.0.0.0/8',
    default: '',
  }),
} as const satisfies Shape

/** The settings of a service with a database. */
export const databaseSettings = {
  DATABASE_URL: setting.databaseUrl({
    describe: 'The service’s own Postgres database.',
    example: 'postgres://token:…@db:5432/token',
  }),
  DATABASE_ROLE: setting.optional(
    setting.text({
      describe:
        'For the owner of the database, who migrates: the role that the service runs as, which gets the rights that it needs.',
      example: 'token',
    }),
  ),
  DATABASE_POOL: setting.integer({
    min: 8,
    max: 200,
    describe: 'Connections to the database at most.',
    example: '20',
    default: '20',
  }),
} as const satisfies Shape

/** A service's settings: its own beside those that every service has. */
export function defineConfig<S extends Shape>(
  service: string,
  own: S,
  contradictions: readonly Contradiction[] = [],
): ConfigDefinition<typeof commonSettings & S> {
  return { service, settings: { ...commonSettings, ...own }, contradictions }
}

/** What is wrong with the environment: a line per variable. It never shows the value of a secret. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'))
  }
}

/**
 * Reads the settings from an environment. What may stand in a file is read from the one that `NAME_FILE` names.
 * @throws ConfigurationError
 */
export function loadConfig<D extends ConfigDefinition>(definition: D, env: NodeJS.ProcessEnv): ConfigOf<D> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(definition.settings)) {
    const found = read(name, option, env)
    if ('problem' in found) problems.push(`${name} ${found.problem}, for example ${name}=${option.example}`)
    else values[name] = found.value
  }
  // what is missing or malformed contradicts nothing yet
  if (problems.length === 0) problems.push(...contradictionsIn(definition, values))
  if (problems.length > 0) throw new ConfigurationError(problems)
  return values as ConfigOf<D>
}

function contradictionsIn(
  { contradictions = [] }: ConfigDefinition,
  values: Record<string, unknown>,
): string[] {
  return contradictions.map(find => find(values)).filter(problem => problem !== undefined)
}

/** The rows of the configuration reference. */
export function describeConfig(definition: ConfigDefinition) {
  return Object.entries(definition.settings).map(
    ([name, { type, describe, example, secret, file, default: fallback, optional }]) => ({
      service: definition.service,
      name,
      type,
      describe,
      example,
      secret,
      file,
      default: fallback,
      optional,
    }),
  )
}

/** The only reader of the process's environment. */
export function processEnvironment(): NodeJS.ProcessEnv {
  return process.env
}

function read(
  name: string,
  option: Setting<unknown>,
  env: NodeJS.ProcessEnv,
): { value: unknown } | { problem: string } {
  const source = textOf(name, option, env)
  if ('problem' in source) return source
  if (source.text === undefined)
    return option.optional
      ? { value: undefined }
      : { problem: `is missing: ${lowerFirst(option.describe)}`.replace(/\.$/, '') }
  const parsed = option.schema.safeParse(source.text)
  if (parsed.success) return { value: parsed.data }
  const what = parsed.error.issues[0]?.message ?? 'is malformed'
  return { problem: option.file ? what : `${what}, not “${shown(source.text)}”` }
}

/** On one line, not longer than a reader needs, and without the password that a URL may hold. */
function shown(text: string): string {
  const clean = text.replace(/\/\/[^/\s]*@/g, '//…@').replace(/\p{Cc}/gu, '�')
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean
}

function textOf(
  name: string,
  option: Setting<unknown>,
  env: NodeJS.ProcessEnv,
): { text: string | undefined } | { problem: string } {
  const direct = env[name]
  const file = option.file ? env[`${name}_FILE`] : undefined
  if (direct !== undefined && direct !== '' && file)
    return { problem: `is set twice: by itself and by ${name}_FILE` }
  if (file) {
    try {
      return { text: readFileSync(file, 'utf8').trim() }
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException // the file system throws no others
      return { problem: `can not be read from the file of ${name}_FILE, ${file} (${code})` }
    }
  }
  return { text: direct === undefined || direct === '' ? option.default : direct }
}
