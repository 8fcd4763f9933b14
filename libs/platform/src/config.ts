import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** One setting of a service: how its text is read, and what the reference says of it. */
export interface Setting<T> {
  readonly schema: z.ZodType<T, string>
  /** In words: `integer 1–65535`. */
  readonly type: string
  readonly describe: string
  readonly example: string
  readonly secret: boolean
  /** Whether it may stand in a file that `NAME_FILE` names. */
  readonly file: boolean
  /** As it would stand in the environment. Without one the setting is mandatory. */
  readonly default?: string | undefined
  readonly optional: boolean
}

interface Facts {
  readonly describe: string
  readonly example: string
  readonly default?: string
}

function make<T>(schema: z.ZodType<T, string>, type: string, facts: Facts, secret = false): Setting<T> {
  return { schema, type, ...facts, secret, file: secret, optional: false }
}

/** The kinds of settings there are. */
export const setting = {
  text: (facts: Facts): Setting<string> => make(z.string().min(1, 'must not be empty'), 'text', facts),
  url: (facts: Facts): Setting<string> =>
    make(z.url({ protocol: /^https?$/, error: 'must be an absolute http or https URL' }), 'URL', facts),
  integer: (facts: Facts & { min: number; max: number }): Setting<number> => {
    const wrong = `must be a whole number from ${facts.min} to ${facts.max}`
    const schema = z
      .string()
      .regex(/^-?\d{1,15}$/, wrong)
      .transform(Number)
      .refine(value => value >= facts.min && value <= facts.max, wrong)
    return make(schema, `integer ${facts.min}–${facts.max}`, facts)
  },
  oneOf: <const T extends string>(values: readonly T[], facts: Facts): Setting<T> =>
    make(z.enum(values, `must be one of ${values.join(', ')}`), values.join(' \\| '), facts),
  list: (facts: Facts): Setting<string[]> =>
    make(
      z.string().transform(text =>
        text
          .split(',')
          .map(item => item.trim())
          .filter(item => item !== ''),
      ),
      'list, separated by commas',
      facts,
    ),
  secret: (facts: Omit<Facts, 'default'> & { pattern?: RegExp; wrong?: string }): Setting<string> => {
    const schema = z.string().min(1, 'must not be empty')
    const checked = facts.pattern ? schema.regex(facts.pattern, facts.wrong ?? 'is malformed') : schema
    return make(checked, 'secret', facts, true)
  },
  /** 32 random bytes in base64url. */
  key: (facts: Omit<Facts, 'default' | 'example'>): Setting<string> =>
    setting.secret({
      ...facts,
      example: '43 characters from: openssl rand 32 | basenc --base64url | tr -d =',
      pattern: /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/,
      wrong: 'must be 32 bytes in base64url without padding (43 characters)',
    }),
  /** Several of them, so that they can change places: the first one makes, all are tried. */
  keys: (facts: Omit<Facts, 'default' | 'example'>): Setting<string> =>
    setting.secret({
      ...facts,
      example: '43 characters from: openssl rand 32 | basenc --base64url | tr -d =',
      pattern: /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048](,[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])*$/,
      wrong: 'must be 32 bytes in base64url without padding (43 characters), or several separated by commas',
    }),
  /** PEM, as many as there are. */
  certificates: (facts: Facts): Setting<X509Certificate[]> => ({
    ...make(
      z.string().transform((text, context) => {
        const certificates = readCertificates(text)
        if (certificates.length > 0) return certificates
        context.addIssue('must be certificates in PEM')
        return z.NEVER
      }),
      'certificates in PEM',
      facts,
    ),
    file: true,
  }),
  /** Of what a registration answers: no secret, and yet easier to hand over in a file. */
  fromFile: <T>(inner: Setting<T>): Setting<T> => ({ ...inner, file: true }),
  optional: <T>(inner: Setting<T>): Setting<T | undefined> => ({
    ...inner,
    schema: inner.schema as z.ZodType<T | undefined, string>,
    optional: true,
  }),
}

/** None where one of them is malformed. */
function readCertificates(text: string): X509Certificate[] {
  try {
    return (text.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
      pem => new X509Certificate(pem),
    )
  } catch {
    return [] // what OpenSSL says of it helps nobody: that it is no PEM does
  }
}

export type Shape = Readonly<Record<string, Setting<unknown>>>
export type ValuesOf<S extends Shape> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never
}

export interface ConfigDefinition<S extends Shape = Shape> {
  readonly service: string
  readonly settings: S
}
export type ConfigOf<D extends ConfigDefinition> = ValuesOf<D['settings']>

/** What every service can be told. */
export const commonSettings = {
  HOST: setting.text({ describe: 'Address to listen on.', example: '0.0.0.0', default: '127.0.0.1' }),
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
  TRUSTED_PROXIES: setting.list({
    describe: 'Addresses or networks whose forwarded headers are believed; none by default.',
    example: '10.0.0.0/8',
    default: '',
  }),
} as const satisfies Shape

/** The settings of a service with a database. */
export const databaseSettings = {
  DATABASE_URL: setting.secret({
    describe: 'The service’s own Postgres database.',
    example: 'postgres://token:…@db:5432/token',
    pattern: /^postgres(ql)?:\/\/\S+$/,
    wrong: 'must be a URL that begins with postgres://',
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
): ConfigDefinition<typeof commonSettings & S> {
  return { service, settings: { ...commonSettings, ...own } }
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
  if (problems.length > 0) throw new ConfigurationError(problems)
  return values as ConfigOf<D>
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
  return { problem: option.file ? what : `${what}, not “${source.text}”` }
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

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
