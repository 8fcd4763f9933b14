import { parse } from 'yaml'

/** What the checks look at; the schema says what else there is. */
export interface Composition {
  readonly services: Readonly<Record<string, Service>>
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes?: Readonly<Record<string, unknown>>
}

export interface Service {
  readonly image?: string
  readonly build?: { readonly target?: string }
  readonly user?: string
  readonly read_only?: boolean
  readonly privileged?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly mem_limit?: string
  readonly pids_limit?: number
  readonly restart?: string
  readonly stop_grace_period?: string
  readonly healthcheck?: object
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly network_mode?: string
  readonly networks?: readonly string[] | Readonly<Record<string, object | null>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
}

export interface Mount {
  readonly source: string
  readonly target: string
  readonly writable: boolean
}

/** The document with its variables resolved, by their defaults where the environment does not say. */
export function readComposition(text: string, environment: NodeJS.ProcessEnv = {}): Composition {
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value, environment)
    if (Array.isArray(value)) return value.map(resolve)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner)]))
  }
  return resolve(parse(text, { merge: true })) as Composition
}

function interpolate(text: string, environment: NodeJS.ProcessEnv): string {
  return text.replace(/\$\$|\$\{(\w+)(?::-([^}]*))?\}/g, (_, name?: string, fallback = '') =>
    name === undefined ? '$' : environment[name] || fallback,
  )
}

/** The two parts of a mount of a volume: `secrets-token:/secrets:ro`. */
export function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes.map(each => {
    const [source = '', target = '', options = ''] = each.split(':')
    return { source, target, writable: !options.split(',').includes('ro') }
  })
}

export const networksOf = ({ networks = [] }: Service): readonly string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks)

export const isStep = ({ restart }: Service) => restart === 'no'
