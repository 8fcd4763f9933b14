/** The services that write events. `source` of an event is one of them. */
export const services = ['clients', 'consent', 'token'] as const
export type Service = (typeof services)[number]
/** The services that hear of others' events. */
export type Reader = Service | 'resource'

interface TopicDefinition {
  readonly name: string
  readonly partitions: number
  readonly writers: readonly Service[]
  /** Of this repository: whoever else reads a topic is its operator's affair. A service reads its own events from its log. */
  readonly readers: readonly Reader[]
  readonly summary: string
}

/** Every topic, keyed by its short name. Partition counts never change: the order of a stream depends on them. */
export const topics = {
  clients: {
    name: 'grantlog.clients.v1',
    partitions: 12,
    writers: ['clients'],
    readers: ['consent', 'token'],
    summary: 'Clients and APIs: registered, updated, suspended, reinstated.',
  },
  grants: {
    name: 'grantlog.grants.v1',
    partitions: 12,
    writers: ['consent'],
    readers: ['token'],
    summary: 'What resource owners approved, denied and revoked.',
  },
  organizations: {
    name: 'grantlog.organizations.v1',
    partitions: 12,
    writers: ['consent'],
    readers: [],
    summary: 'Accounts, organizations and who may act for them, by opaque ids.',
  },
  tokens: {
    name: 'grantlog.tokens.v1',
    partitions: 12,
    writers: ['token'],
    readers: ['consent'],
    summary: 'Codes redeemed, tokens issued, refresh tokens rotated and replayed.',
  },
  keys: {
    name: 'grantlog.keys.v1',
    partitions: 12,
    writers: ['token'],
    readers: ['clients', 'consent'],
    summary: 'The signing keys’ public halves, and their life: announced, activated, retired, compromised.',
  },
  revocations: {
    name: 'grantlog.revocations.v1',
    partitions: 3,
    writers: ['clients', 'consent', 'token'],
    readers: ['clients', 'consent', 'token', 'resource'],
    summary: 'The one feed that says which tokens no longer count, whoever revoked them.',
  },
} as const satisfies Record<string, TopicDefinition>

export type Topic = keyof typeof topics

export const readersOf = (topic: Topic): readonly Reader[] => topics[topic].readers
