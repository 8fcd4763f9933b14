import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import proxyAddress from '@fastify/proxy-addr'
import { urlProblem } from '@grantlog/oauth'
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
  /** Where to listen. */
  host: (facts: Facts): Setting<string> =>
    like(/^[A-Za-z0-9.:_-]+$/, 'must be an address or a host name', 'host', facts),
  headerName: (facts: Facts): Setting<string> =>
    like(/^[A-Za-z0-9-]+$/, 'must be the name of a header', 'name of a header', facts),
  /** The beginning of a topic’s name. */
  topicPrefix: (facts: Facts): Setting<string> =>
    like(/^[A-Za-z0-9._-]{1,100}$/, 'must be letters, digits, dots, underscores, hyphens', 'prefix', facts),
  /** https, or http on this machine: of an endpoint, a resource, a page. */
  url: (facts: Facts): Setting<string> => make(urlThat(), 'URL', facts),
  /** Of an issuer, and of whatever endpoints’ paths are appended to. RFC 8414 §2: no query. */
  baseUrl: (facts: Facts): Setting<string> =>
    make(
      urlThat(text => (text.includes('?') ? 'must not have a query' : undefined)),
      'URL without query',
      facts,
    ),
  /** Of a service whose paths begin at the root of its host. */
  origin: (facts: Facts): Setting<string> =>
    make(
      urlThat(text => (isOrigin(text) ? undefined : 'must not have a path or a query')),
      'URL without path',
      facts,
    ),
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
  origins: (facts: Facts): Setting<string[]> =>
    list(
      item => item === '*' || (URL.canParse(item) && new URL(item).origin === item),
      'must be origins as a browser sends them, such as https://app.example.com, or *',
      'origins, separated by commas',
      facts,
    ),
  networks: (facts: Facts): Setting<string[]> =>
    list(
      isNetwork,
      'must be addresses or networks, such as 192.0.2.1 and 2001:db8::/32',
      'addresses and networks, separated by commas',
      facts,
    ),
  brokers: (facts: Facts): Setting<string[]> =>
    list(
      item => /^([A-Za-z0-9._-]+|\[[\dA-Fa-f:.]+\]):\d{1,5}$/.test(item),
      'must be host:port, separated by commas',
      'host:port, separated by commas',
      facts,
    ),
  secret: (facts: Omit<Facts, 'default'> & { pattern?: RegExp; wrong?: string }): Setting<string> => {
    const schema = z.string().min(1, 'must not be empty')
    const checked = facts.pattern ? schema.regex(facts.pattern, facts.wrong ?? 'is malformed') : schema
    return make(checked, 'secret', facts, true)
  },
  /** A secret as `parse` reads it, which throws an Error whose sentence shows nothing of it. */
  parsedSecret: <T>(parse: (text: string) => T, facts: Omit<Facts, 'default'>): Setting<T> => {
    const schema = z.string().transform((text, context) => {
      try {
        return parse(text)
      } catch (error) {
        context.addIssue(`is malformed: ${sentenceOf(error)}`)
        return z.NEVER
      }
    })
    return make(schema, 'secret', facts, true)
  },
  /** Of a Postgres database; it holds a password. */
  databaseUrl: (facts: Omit<Facts, 'default'>): Setting<string> =>
    make(
      z.string().refine(isDatabaseUrl, 'must be a URL that begins with postgres://'),
      'secret',
      facts,
      true,
    ),
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

function like(pattern: RegExp, wrong: string, type: string, facts: Facts): Setting<string> {
  return make(z.string().regex(pattern, wrong), type, facts)
}

function urlThat(more: (text: string) => string | undefined = () => undefined): z.ZodType<string, string> {
  return z.string().superRefine((text, context) => {
    const problem = urlProblem(text) ?? more(text)
    if (problem !== undefined) context.addIssue(problem)
  })
}

/** Items that are empty count for nothing. */
function list(
  right: (item: string) => boolean,
  wrong: string,
  type: string,
  facts: Facts,
): Setting<string[]> {
  const schema = z
    .string()
    .transform(text =>
      text
        .split(',')
        .map(item => item.trim())
        .filter(item => item !== ''),
    )
    .refine(items => items.every(right), wrong)
  return make(schema, type, facts)
}

function isOrigin(text: string): boolean {
  const { pathname } = new URL(text)
  return pathname === '/' && !text.includes('?')
}

/** Also `loopback`, `linklocal` and `uniquelocal`. Never everybody: a prefix of no bits is refused. */
function isNetwork(item: string): boolean {
  const [address = ''] = item.split('/')
  if (isIP(address) === 0 && !['loopback', 'linklocal', 'uniquelocal'].includes(item)) return false
  try {
    proxyAddress.compile([item])
    return true
  } catch {
    return false // it throws for what it can't read, and says no more than that
  }
}

export function isDatabaseUrl(text: string): boolean {
  return /^postgres(ql)?:\/\/\S+$/.test(text) && URL.canParse(text)
}

/** Without its full stop: more follows. */
function sentenceOf(error: unknown): string {
  return lowerFirst(error instanceof Error ? error.message : 'it can not be read').replace(/\.$/, '')
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

export const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
