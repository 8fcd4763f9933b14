import { type Labels, type Manifest, ofKind, type Peer, type Rule, selects } from './manifest.js'

/** A pod as a network policy sees it. */
export interface Pod {
  readonly namespace: string
  readonly labels: Labels
}

const home = 'grantlog'

/** Whether the policies let one pod connect to a TCP port of another: out of the one, and into the other. */
export function reaches(manifests: readonly Manifest[], from: Pod, to: Pod, port: number): boolean {
  const policies = [...ofKind(manifests, 'NetworkPolicy'), ...ofKind(manifests, 'Kafka').map(listenerPolicy)]
  return allows(policies, 'Egress', from, to, port) && allows(policies, 'Ingress', to, from, port)
}

/** A pod that no policy of a direction selects is open in it; otherwise one of their rules has to let the other one in. */
function allows(
  policies: readonly Manifest[],
  direction: 'Ingress' | 'Egress',
  pod: Pod,
  other: Pod,
  port: number,
): boolean {
  if (pod.namespace !== home) return true // its own namespace’s business
  const own = policies.filter(
    ({ spec = {} }) => spec.policyTypes?.includes(direction) && selects(spec.podSelector ?? {}, pod.labels),
  )
  if (own.length === 0) return true
  return own.some(({ spec = {} }) =>
    (direction === 'Ingress' ? spec.ingress : spec.egress)?.some(rule => matches(rule, other, port)),
  )
}

function matches({ from, to, ports }: Rule, other: Pod, port: number): boolean {
  const peers = from ?? to
  const portIsRight =
    ports === undefined || ports.some(each => each.port === port && (each.protocol ?? 'TCP') === 'TCP')
  return portIsRight && (peers === undefined || peers.some(peer => isPeer(peer, other)))
}

function isPeer({ podSelector, namespaceSelector }: Peer, { namespace, labels }: Pod): boolean {
  const inNamespace = namespaceSelector
    ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': namespace })
    : namespace === home
  return inNamespace && selects(podSelector ?? {}, labels)
}

/** The policy that Strimzi makes of a Kafka's listeners. */
function listenerPolicy({ apiVersion, metadata, spec }: Manifest): Manifest {
  return {
    apiVersion,
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: { matchLabels: { 'strimzi.io/name': `${metadata.name}-kafka` } },
      policyTypes: ['Ingress'],
      ingress: (spec?.kafka?.listeners ?? []).map(({ port, networkPolicyPeers }) => ({
        from: networkPolicyPeers,
        ports: [{ port }],
      })),
    },
  }
}
