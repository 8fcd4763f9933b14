import { readersOf, type Topic, topics } from '../topics.js'

const header =
  '# Generated from the event catalogue by `npm run generate -w @grantlog/contracts`. Do not edit.\n'
const topicNames = Object.keys(topics) as Topic[]
const users = [...new Set(topicNames.flatMap(topic => [...topics[topic].writers, ...readersOf(topic)]))]

/** The topics as resources of Strimzi (YAML). The replication factor is the cluster’s default. */
export function kafkaTopics(): string {
  return documents(topicNames.map(topic => topics[topic]).map(topicResource))
}

/** The services as users of Strimzi (YAML): each may write and read what the catalogue says, and nothing else. */
export function kafkaUsers(): string {
  return documents(users.toSorted().map(userResource))
}

function topicResource({ name, partitions }: (typeof topics)[Topic]): string {
  return `apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: ${name}
  labels:
    strimzi.io/cluster: grantlog
spec:
  partitions: ${partitions}
  config:
    cleanup.policy: delete
    retention.ms: -1
`
}

function userResource(user: string): string {
  const written = topicNames.filter(topic => topics[topic].writers.some(writer => writer === user))
  const read = topicNames.filter(topic => readersOf(topic).some(reader => reader === user))
  return `apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: kafka-${user}
  labels:
    strimzi.io/cluster: grantlog
spec:
  authentication:
    type: scram-sha-512
  authorization:
    type: simple
    acls:
${[
  ...written.map(topic => rule('topic', topics[topic].name, 'literal', ['Describe', 'Write'])),
  ...read.map(topic => rule('topic', topics[topic].name, 'literal', ['Describe', 'Read'])),
  // each reader is a group of one, named after its service
  rule('group', `grantlog-${user}.`, 'prefix', ['Describe', 'Read']),
].join('')}`
}

function rule(
  type: 'topic' | 'group',
  name: string,
  patternType: 'literal' | 'prefix',
  operations: string[],
): string {
  return `      - resource: { type: ${type}, name: ${name}, patternType: ${patternType} }
        operations: [${operations.join(', ')}]
`
}

const documents = (resources: readonly string[]) => header + resources.join('---\n')
