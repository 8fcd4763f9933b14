import type { ConfigDefinition } from '@grantlog/platform'
import { type Composition, isStep, mountsOf, networksOf, type Service } from './composition.js'

/** What the images set themselves, and what Node reads. */
const ofImage = ['HOST', 'PORT', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']

/** The only step that runs as root, and the capability that its work needs. */
const root = { service: 'volumes', capability: 'CHOWN' }

/** Whom a volume of secrets concerns besides the one that it is named after, and why. */
const alsoRead: Readonly<Record<string, readonly string[]>> = {
  'secrets-clients': ['operator'], // bootstraps with the service’s own program
  'secrets-operator': ['demo'], // registers as the operator
  'secrets-resource': ['demo', 'invoices'], // hands its registration to it; seeds with the service’s own program
  'secrets-sample-client': ['demo'], // hands its registration to it
}

export interface Known {
  readonly settings: ReadonlyMap<string, ConfigDefinition['settings']>
  /** The files of each folder of secrets, and those that a step puts into a volume. */
  readonly files: ReadonlyMap<string, readonly string[]>
}

/** What is wrong with an installation, a sentence each. */
export function problemsOf(composition: Composition, known: Known): string[] {
  return Object.entries(composition.services).flatMap(([name, service]) => [
    ...hardeningProblems(name, service),
    ...lifeProblems(name, service, composition),
    ...referenceProblems(name, service, composition),
    ...environmentProblems(name, service, known),
    ...secretProblems(name, service),
    ...networkProblems(name, service, composition, known),
  ])
}

function hardeningProblems(name: string, service: Service): string[] {
  const isRoot = name === root.service
  const capabilities = isRoot ? [root.capability] : ['NET_BIND_SERVICE']
  const wrong: [string, boolean][] = [
    [`runs as ${service.user ?? 'whom its image says'}`, service.user !== (isRoot ? '0:0' : '1000:1000')],
    ['may write its root', service.read_only !== true],
    ['is privileged', service.privileged === true],
    ['keeps capabilities', service.cap_drop?.includes('ALL') !== true],
    ['adds capabilities', (service.cap_add ?? []).some(each => !capabilities.includes(each))],
    ['may gain privileges', service.security_opt?.includes('no-new-privileges:true') !== true],
    ['may use all memory', service.mem_limit === undefined],
    ['may start any number of processes', service.pids_limit === undefined],
    ['is in the network of the host', service.network_mode === 'host'],
    ['mounts a folder of the host', mountsOf(service).some(({ source }) => /^[./~]/.test(source))],
    ['is published to other machines', (service.ports ?? []).some(each => !each.startsWith('127.0.0.1:'))],
  ]
  return wrong.filter(([, is]) => is).map(([what]) => `${name} ${what}`)
}

/** A step is waited for by somebody: Compose takes one that has ended for a failure otherwise. What stays is healthy or not, and comes back. */
function lifeProblems(name: string, service: Service, { services }: Composition): string[] {
  if (isStep(service)) {
    const awaited = Object.values(services).some(
      ({ depends_on = {} }) => depends_on[name]?.condition === 'service_completed_successfully',
    )
    return awaited ? [] : [`${name} is a step that nobody waits for`]
  }
  const { SHUTDOWN_DELAY_SECONDS: delay = 0, SHUTDOWN_GRACE_SECONDS: grace = 10 } = service.environment ?? {}
  const wrong: [string, boolean][] = [
    ['has no healthcheck', service.healthcheck === undefined],
    ['does not come back', service.restart !== 'unless-stopped'],
    [
      'is killed while it stops',
      name !== 'caddy' &&
        Number.parseInt(service.stop_grace_period ?? '10', 10) < Number(delay) + Number(grace) + 5,
    ],
  ]
  return wrong.filter(([, is]) => is).map(([what]) => `${name} ${what}`)
}

function referenceProblems(name: string, service: Service, composition: Composition): string[] {
  const missing = (what: string, names: readonly string[], there: object = {}) =>
    names.filter(each => !(each in there)).map(each => `${name} names the ${what} ${each}, and there is none`)
  const ended = Object.entries(service.depends_on ?? {}).filter(([other, { condition }]) => {
    const step = composition.services[other]
    return step !== undefined && isStep(step) !== (condition === 'service_completed_successfully')
  })
  return [
    ...missing('service', Object.keys(service.depends_on ?? {}), composition.services),
    ...missing('network', networksOf(service), composition.networks),
    ...missing(
      'volume',
      mountsOf(service).map(({ source }) => source),
      composition.volumes,
    ),
    ...ended.map(([other, { condition }]) => `${name} waits for ${other} to be ${condition}`),
  ]
}

/** Every variable is one that the service knows, every mandatory one is set, no secret is in clear, and each file is mounted. */
function environmentProblems(name: string, service: Service, { settings: all, files }: Known): string[] {
  const environment = service.environment ?? {}
  const mounted = mountsOf(service).flatMap(({ source, target }) =>
    (files.get(source) ?? []).map(file => `${target}/${file}`),
  )
  const absent = Object.entries(environment)
    .filter(
      ([key, path]) => (key.endsWith('_FILE') || key === 'NODE_EXTRA_CA_CERTS') && !mounted.includes(path),
    )
    .map(([key, path]) => `${name} has no file ${path} (${key})`)
  const settings = all.get(name)
  if (settings === undefined) return absent
  const names = Object.keys(environment)
  const unknown = names.filter(key => {
    const direct = key.replace(/_FILE$/, '')
    return !(key in settings) && !(direct !== key && settings[direct]?.file) && !ofImage.includes(key)
  })
  const missing = Object.entries(settings)
    .filter(([, { default: fallback, optional }]) => fallback === undefined && !optional)
    .filter(([key]) => !names.includes(key) && !names.includes(`${key}_FILE`) && !ofImage.includes(key))
  return [
    ...absent,
    ...unknown.map(key => `${name} sets ${key}, which it does not know`),
    ...names.filter(key => settings[key]?.secret).map(key => `${name} sets the secret ${key} in clear`),
    ...missing.map(([key]) => `${name} does not set ${key}`),
  ]
}

/** Each reads its own secrets; only the steps that make them write. */
function secretProblems(name: string, service: Service): string[] {
  const makes = [root.service, 'secrets'].includes(name)
  return mountsOf(service)
    .filter(({ source }) => source.startsWith('secrets-'))
    .flatMap(({ source, writable }) => {
      const own = source === `secrets-${name}` || alsoRead[source]?.includes(name)
      const hands = name === 'demo' && ['secrets-resource', 'secrets-sample-client'].includes(source)
      return [
        ...(own || makes ? [] : [`${name} can read ${source}`]),
        ...(writable && !makes && !hands ? [`${name} can write ${source}`] : []),
      ]
    })
}

/** No two services are in one network, and none but the gateway’s own leads outside. */
function networkProblems(
  name: string,
  service: Service,
  composition: Composition,
  { settings }: Known,
): string[] {
  if (!settings.has(name)) return []
  const own = networksOf(service)
  const others = [...settings.keys()].filter(
    other => other !== name && networksOf(composition.services[other] ?? {}).some(each => own.includes(each)),
  )
  return [
    ...others.map(other => `${name} reaches ${other}`),
    ...own
      .filter(each => composition.networks?.[each]?.internal !== true)
      .map(each => `${name} reaches the Internet by ${each}`),
  ]
}
