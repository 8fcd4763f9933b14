/** What the checks look at, of any kind of resource; the schemas say what else there is. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Labels }
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: Spec
}

export type Labels = Readonly<Record<string, string>>

export interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly Expression[]
}

interface Expression {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values?: readonly string[]
}

export interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
}

export interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[]
}

export interface Spec {
  readonly selector?: Selector
  readonly template?: { readonly metadata?: { readonly labels?: Labels }; readonly spec: PodSpec }
  readonly scaleTargetRef?: { readonly name: string }
  readonly minReplicas?: number
  readonly maxReplicas?: number
  readonly podSelector?: Selector
  readonly policyTypes?: readonly ('Ingress' | 'Egress')[]
  readonly ingress?: readonly Rule[]
  readonly egress?: readonly Rule[]
  readonly hostnames?: readonly string[]
  readonly rules?: readonly {
    readonly matches: readonly { readonly path: { readonly value: string } }[]
    readonly backendRefs: readonly { readonly name: string }[]
  }[]
  readonly postgresql?: { readonly parameters: Readonly<Record<string, string>> }
  readonly kafka?: { readonly listeners: readonly { port: number; networkPolicyPeers: readonly Peer[] }[] }
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext?: SecurityContext
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly volumes?: readonly Volume[]
  readonly topologySpreadConstraints?: readonly {
    readonly labelSelector: Selector
    readonly matchLabelKeys?: readonly string[]
  }[]
}

export interface Volume {
  readonly name: string
  readonly secret?: SecretSource & { readonly secretName: string }
  readonly projected?: { readonly sources: readonly { readonly secret?: SecretSource & { name: string } }[] }
  readonly hostPath?: object
}

interface SecretSource {
  readonly items?: readonly { readonly key: string; readonly path: string }[]
}

export interface SecurityContext {
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly seccompProfile?: { readonly type: string }
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly securityContext?: SecurityContext
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels }
  readonly startupProbe?: object
  readonly readinessProbe?: object
  readonly livenessProbe?: object
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

export const ofKind = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter(manifest => manifest.kind === kind)

/** `Deployment grantlog-token` */
export const titleOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors: an empty one selects everything */
export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(expression => holds(expression, labels[expression.key]))
  )
}

function holds({ operator, values = [] }: Expression, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}
