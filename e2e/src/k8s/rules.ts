import type { ConfigDefinition } from '@grantlog/platform'
import {
  type Container,
  type Manifest,
  ofKind,
  type PodSpec,
  type Spec,
  selects,
  titleOf,
} from './manifest.js'

/** Settings that a service does not read itself: Node does. */
const ofNode = ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']

export const serviceOf = ({ metadata }: Manifest) => metadata.labels?.['grantlog/service'] ?? ''
export const isService = ({ kind, metadata }: Manifest) =>
  kind === 'Deployment' && metadata.labels?.['grantlog/part'] === 'service'

export interface Known {
  readonly settings: ReadonlyMap<string, ConfigDefinition['settings']>
  /** What a migration reads. */
  readonly migration: readonly string[]
  /** The files that each secret holds. */
  readonly secrets: ReadonlyMap<string, readonly string[]>
}

/** What is wrong with the resources of an installation, a sentence each. */
export function problemsOf(manifests: readonly Manifest[], known: Known): string[] {
  const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
  return [
    ...workloads.flatMap(workload => podProblems(workload, podOf(workload))),
    ...manifests
      .filter(isService)
      .flatMap(service => [
        ...probeProblems(service),
        ...companionProblems(service, manifests),
        ...stopProblems(service, manifests),
        ...environmentProblems(service, manifests, known),
      ]),
    ...ofKind(manifests, 'Job').flatMap(job => migrationProblems(job, manifests, known)),
  ]
}

function podOf({ spec }: Manifest): PodSpec {
  return spec?.template?.spec ?? { containers: [] }
}

/** @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a little more */
function podProblems(workload: Manifest, pod: PodSpec): string[] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers]
  const wrong: [string, boolean][] = [
    [
      'may run as root',
      containers.some(each => !(each.securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot)),
    ],
    ['runs as user 0', [pod, ...containers].some(each => each.securityContext?.runAsUser === 0)],
    ['is privileged', containers.some(each => each.securityContext?.privileged)],
    [
      'may gain privileges',
      containers.some(each => each.securityContext?.allowPrivilegeEscalation !== false),
    ],
    ['may write its root', containers.some(each => each.securityContext?.readOnlyRootFilesystem !== true)],
    [
      'keeps capabilities',
      containers.some(each => !each.securityContext?.capabilities?.drop?.includes('ALL')),
    ],
    [
      'adds capabilities',
      containers.some(each =>
        each.securityContext?.capabilities?.add?.some(name => name !== 'NET_BIND_SERVICE'),
      ),
    ],
    ['has no seccomp profile', pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault'],
    ['is in a namespace of the host', [pod.hostNetwork, pod.hostPID, pod.hostIPC].some(Boolean)],
    ['mounts a folder of the host', (pod.volumes ?? []).some(({ hostPath }) => hostPath !== undefined)],
    ['gets a token of the Kubernetes API', pod.automountServiceAccountToken !== false],
    ['has no requests and limits', containers.some(each => !isMeasured(each))],
  ]
  return wrong.filter(([, is]) => is).map(([what]) => `${titleOf(workload)} ${what}`)
}

function isMeasured({ resources }: Container): boolean {
  return [resources?.requests, resources?.limits].every(each => each?.cpu && each.memory)
}

function probeProblems(service: Manifest): string[] {
  return (['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
    .filter(probe => podOf(service).containers.some(container => container[probe] === undefined))
    .map(probe => `${titleOf(service)} has no ${probe}`)
}

/** What has to stand beside a service, and selects its pods and no others. */
function companionProblems(service: Manifest, manifests: readonly Manifest[]): string[] {
  const labels = service.spec?.template?.metadata?.labels ?? {}
  const others = manifests.filter(each => isService(each) && each !== service)
  const exactly = (pick: (spec: Spec) => Spec['selector']) => (manifest: Manifest) => {
    const selector = pick(manifest.spec ?? {})
    if (selector === undefined || !selects(selector, labels)) return false
    return others.every(other => !selects(selector, other.spec?.template?.metadata?.labels ?? {}))
  }
  const present: [string, boolean][] = [
    // the selector of a Service is the labels themselves
    [
      'Service',
      ofKind(manifests, 'Service').some(
        exactly(({ selector }) => ({ matchLabels: { ...selector } as never })),
      ),
    ],
    [
      'PodDisruptionBudget',
      ofKind(manifests, 'PodDisruptionBudget').some(exactly(({ selector }) => selector)),
    ],
    ['NetworkPolicy', ofKind(manifests, 'NetworkPolicy').some(exactly(({ podSelector }) => podSelector))],
    ['HorizontalPodAutoscaler', scalerOf(service, manifests) !== undefined],
    ['topology spread', (podOf(service).topologySpreadConstraints ?? []).length > 0],
  ]
  const missing = present
    .filter(([, is]) => !is)
    .map(([what]) => `${titleOf(service)} has no ${what} of its own`)
  const twice = (podOf(service).topologySpreadConstraints ?? []).flatMap(
    ({ labelSelector, matchLabelKeys = [] }) =>
      matchLabelKeys.filter(key => labelSelector.matchLabels?.[key] !== undefined),
  )
  return [
    ...missing,
    ...twice.map(key => `${titleOf(service)} spreads by ${key} twice: Kubernetes refuses that`),
  ]
}

/** Two instances of each service at least, and one of the sample application, whose sessions are in its memory. */
function scalerOf({ metadata }: Manifest, manifests: readonly Manifest[]): Manifest | undefined {
  const enough = ({ minReplicas = 1, maxReplicas = 1 }: Spec) =>
    metadata.name.endsWith('sample-client') ? maxReplicas === 1 : minReplicas >= 2
  return ofKind(manifests, 'HorizontalPodAutoscaler').find(
    ({ spec }) => spec?.scaleTargetRef?.name === metadata.name && enough(spec),
  )
}

const besideThePool = 5

/** A stop in order has time for everything, and at most as many instances as can be are within the connections of their database. */
function stopProblems(service: Manifest, manifests: readonly Manifest[]): string[] {
  const { terminationGracePeriodSeconds = 30, containers } = podOf(service)
  const environment = environmentOf(containers[0], manifests)
  const sleep = containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0
  const grace = Number(environment.get('SHUTDOWN_GRACE_SECONDS') ?? 10)
  const problems =
    sleep < 5 || terminationGracePeriodSeconds < sleep + grace + 5
      ? [
          `${titleOf(service)} is killed while it stops: ${sleep} s + ${grace} s of ${terminationGracePeriodSeconds} s`,
        ]
      : []
  const database = manifests.find(
    ({ kind, metadata }) => kind === 'Cluster' && metadata.name === `postgres-${serviceOf(service)}`,
  )
  if (database === undefined) return problems
  const most = (scalerOf(service, manifests)?.spec?.maxReplicas ?? 0) + 1 // one more while it is rolled out
  const needed = most * (Number(environment.get('DATABASE_POOL') ?? 20) + besideThePool)
  const there = Number(database.spec?.postgresql?.parameters.max_connections ?? 100)
  if (needed <= there) return problems
  return [
    ...problems,
    `${titleOf(service)} may need ${needed} connections, and ${titleOf(database)} has ${there}`,
  ]
}

/** Every variable is one that the service knows, every mandatory one is set, no secret is in clear, and each file is mounted. */
function environmentProblems(service: Manifest, manifests: readonly Manifest[], known: Known): string[] {
  const settings = known.settings.get(serviceOf(service))
  if (settings === undefined) return [`${titleOf(service)} is no service`]
  const environment = environmentOf(podOf(service).containers[0], manifests)
  const withFile = (name: string) => (name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : undefined)
  const unknown = [...environment.keys()].filter(name => {
    const file = withFile(name)
    return !(name in settings) && !(file !== undefined && settings[file]?.file) && !ofNode.includes(name)
  })
  const inClear = [...environment.keys()].filter(name => settings[name]?.secret)
  const missing = Object.entries(settings)
    .filter(([, { default: fallback, optional }]) => fallback === undefined && !optional)
    .filter(([name]) => !environment.has(name) && !environment.has(`${name}_FILE`))
  return [
    ...unknown.map(name => `${titleOf(service)} sets ${name}, which ${serviceOf(service)} does not know`),
    ...inClear.map(name => `${titleOf(service)} sets the secret ${name} in clear`),
    ...missing.map(([name]) => `${titleOf(service)} does not set ${name}`),
    ...fileProblems(service, environment, known),
  ]
}

function migrationProblems(job: Manifest, manifests: readonly Manifest[], known: Known): string[] {
  const environment = environmentOf(podOf(job).containers[0], manifests)
  const names = [...environment.keys()]
  return [
    ...names.filter(name => !known.migration.includes(name)).map(name => `${titleOf(job)} sets ${name}`),
    ...known.migration
      .filter(name => !names.includes(name))
      .map(name => `${titleOf(job)} does not set ${name}`),
    ...fileProblems(job, environment, known),
  ]
}

function fileProblems(
  workload: Manifest,
  environment: ReadonlyMap<string, string>,
  { secrets }: Known,
): string[] {
  const mounted = new Set(filesOf(podOf(workload), secrets))
  return [...environment]
    .filter(([name, path]) => path.startsWith('/etc/grantlog/') && !mounted.has(path) && name !== '')
    .map(([name, path]) => `${titleOf(workload)} has no file ${path} (${name})`)
}

/** The path of each file of a secret that is mounted. */
function filesOf({ volumes = [], containers }: PodSpec, secrets: Known['secrets']): string[] {
  return (containers[0]?.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const volume = volumes.find(each => each.name === name)
    const sources = [
      ...(volume?.projected?.sources ?? []).map(({ secret }) => ({
        name: secret?.name,
        items: secret?.items,
      })),
      ...(volume?.secret ? [{ name: volume.secret.secretName, items: volume.secret.items }] : []),
    ]
    return sources.flatMap(source => {
      const all = secrets.get(nameOfGenerated(source.name ?? '')) ?? []
      const paths = source.items?.map(({ path }) => path) ?? all
      return paths.map(path => `${mountPath}/${path}`)
    })
  })
}

/** What kustomize generates has a hash behind its name. */
export const nameOfGenerated = (name: string) => name.replace(/-[a-z0-9]{10}$/, '')

export function environmentOf(
  container: Container | undefined,
  manifests: readonly Manifest[],
): ReadonlyMap<string, string> {
  const maps = (container?.envFrom ?? []).map(({ configMapRef }) =>
    manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name),
  )
  return new Map([
    ...maps.flatMap(map => Object.entries(map?.data ?? {})),
    ...(container?.env ?? []).map(({ name, value = '' }) => [name, value] as const),
  ])
}
