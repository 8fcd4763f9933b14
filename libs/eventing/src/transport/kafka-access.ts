import { setTimeout } from 'node:timers/promises'
import { readersOf, services, type Topic, topics } from '@grantlog/contracts'
import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import { type KafkaOptions, nameOf } from './kafka-client.js'
import { withAdmin } from './kafka-topics.js'

/** What one user of Kafka may do with a topic, or with the consumer groups whose names begin so. */
export interface Access {
  readonly user: string
  readonly resource: 'topic' | 'group'
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operation: 'read' | 'write'
}

/** Each service is a user of its own name. */
const users = [...services, 'resource'] as const

/** What each service needs of Kafka, and nothing else: the catalogue's topics, and groups of its own. Both imply to describe. */
export function wantedAccess(prefix = ''): Access[] {
  const options = { clientId: '', brokers: [], topicPrefix: prefix }
  return users.flatMap(user => [
    ...(Object.keys(topics) as Topic[]).flatMap(topic =>
      (['read', 'write'] as const)
        .filter(operation => allowed(operation, topic).includes(user))
        .map(operation => ({
          user,
          resource: 'topic' as const,
          name: nameOf(options, topic),
          pattern: 'literal' as const,
          operation,
        })),
    ),
    {
      user,
      resource: 'group',
      name: `${groupOf(prefix, `grantlog-${user}`)}.`,
      pattern: 'prefixed',
      operation: 'read',
    },
  ])
}

/** What the consumer groups of a client begin with. */
export const groupOf = (prefix: string | undefined, clientId: string) => `${prefix ?? ''}${clientId}`

const allowed = (operation: Access['operation'], topic: Topic): readonly string[] =>
  operation === 'read' ? readersOf(topic) : topics[topic].writers

/**
 * Allows what is missing, and says what the services' users may do besides. Takes nothing away.
 * A broker knows of a right a while after it was given: this returns when it does, so that a service started next is let in.
 * @throws Error where the broker has no authorizer, or knows nothing of the rights half a minute later
 */
export async function applyAccess(options: KafkaOptions): Promise<{ allowed: Access[]; besides: string[] }> {
  return withAdmin(options, async admin => {
    const wanted = wantedAccess(options.topicPrefix).map(access => ({ access, entry: entryOf(access) }))
    const existing = await existingEntries(admin)
    const missing = missingOf(wanted, existing)
    if (missing.length > 0) await admin.createAcls({ acl: missing.map(({ entry }) => entry) })
    await known(admin, missing)
    const asked = new Set(wanted.map(({ entry }) => wordsOf(entry)))
    return {
      allowed: missing.map(({ access }) => access),
      besides: existing
        // of another installation on the same Kafka
        .filter(({ resourceName }) => resourceName.startsWith(options.topicPrefix ?? ''))
        .map(wordsOf)
        .filter(words => !asked.has(words)),
    }
  })
}

interface Wanted {
  readonly access: Access
  readonly entry: AclEntry
}

function missingOf(wanted: readonly Wanted[], existing: readonly AclEntry[]): readonly Wanted[] {
  const there = new Set(existing.map(wordsOf))
  return wanted.filter(({ entry }) => !there.has(wordsOf(entry)))
}

/** Waits until the broker tells of these rights. */
async function known(admin: Admin, given: readonly Wanted[]): Promise<void> {
  const deadline = Date.now() + 30_000
  for (let missing = given; missing.length > 0; missing = missingOf(missing, await existingEntries(admin))) {
    if (Date.now() > deadline)
      throw new Error(
        `Kafka took these rights and does not tell of them: ${missing.map(({ entry }) => wordsOf(entry)).join(', ')}`,
      )
    await setTimeout(100)
  }
}

const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs

function entryOf({ user, resource, name, pattern, operation }: Access): AclEntry {
  return {
    principal: `User:${user}`,
    host: '*',
    resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
    resourceName: name,
    resourcePatternType: pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
    operation: operation === 'read' ? AclOperationTypes.READ : AclOperationTypes.WRITE,
    permissionType: AclPermissionTypes.ALLOW,
  }
}

async function existingEntries(admin: Admin): Promise<AclEntry[]> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ALLOW,
  })
  const principals = new Set<string>(users.map(user => `User:${user}`))
  return resources.flatMap(({ acls, resourceType, resourceName, resourcePatternType }) =>
    acls
      .filter(({ principal }) => principals.has(principal))
      .map(acl => ({ ...acl, resourceType, resourceName, resourcePatternType })),
  )
}

/** In words, the same ones for the same right. */
function wordsOf({
  principal,
  host,
  operation,
  resourceType,
  resourceName,
  resourcePatternType,
}: AclEntry): string {
  const what = `${nameIn(AclResourceTypes, resourceType)} ${resourceName}`
  const pattern = resourcePatternType === ResourcePatternTypes.PREFIXED ? '*' : ''
  return `${principal} from ${host}: ${nameIn(AclOperationTypes, operation)} ${what}${pattern}`
}

/** This client's enumerations know no names of their values. */
function nameIn(values: object, value: number): string {
  const [name = String(value)] = Object.entries(values).find(([, each]) => each === value) ?? []
  return name.toLowerCase()
}
