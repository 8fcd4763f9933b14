import { type Service, type Topic, topics } from '@grantlog/contracts'
import { type KafkaOptions, rebuildTopic } from '@grantlog/eventing'
import type pg from 'pg'
import { type Command, readArguments } from '../command.js'
import { connect, databasesFrom } from '../databases.js'
import { kafkaHelp, kafkaOf, kafkaOptions } from '../kafka.js'
import { ProgressBar } from '../progress.js'
import { UsageError } from '../usage-error.js'

const names = Object.keys(topics) as Topic[]

export const topicsRebuild: Command = {
  usage: 'topics rebuild TOPIC|all [--database SERVICE=URL]… [--brokers LIST] [--prefix TEXT]',
  summary: 'publish a topic again from what the services have stored; consumers go on unharmed',
  options: {
    TOPIC: `${names.join(', ')}; or all`,
    '--database SERVICE=URL':
      'where a service that writes the topic keeps its log; may be repeated; those of the npm start here, without it',
    ...kafkaHelp,
  },

  async run(args) {
    const { values, words } = readArguments(args, {
      ...kafkaOptions,
      database: { type: 'string', multiple: true },
    })
    const wanted = topicsNamed(words)
    const databases = databasesFrom(values.database ?? [])
    for (const service of writersOf(wanted)) {
      if (!databases.has(service))
        throw new UsageError(`Say where the log of ${service} is: --database ${service}=postgres://…`)
    }
    const kafka = kafkaOf(values)
    for (const topic of wanted) await rebuild(topic, databases, kafka)
  },
}

function topicsNamed(words: readonly string[]): readonly Topic[] {
  const [word, ...more] = words
  if (word === 'all' && more.length === 0) return names
  const topic = names.find(name => name === word)
  if (topic === undefined || more.length > 0)
    throw new UsageError(`Name one topic, ${names.join(', ')}, or all; not “${words.join(' ')}”.`)
  return [topic]
}

const writersOf = (wanted: readonly Topic[]) => new Set(wanted.flatMap(topic => topics[topic].writers))

async function rebuild(
  topic: Topic,
  databases: ReadonlyMap<Service, string>,
  kafka: KafkaOptions,
): Promise<void> {
  const writers: readonly Service[] = topics[topic].writers
  const logs = new Map<Service, pg.Client>()
  const bar = new ProgressBar(topics[topic].name, 'events')
  try {
    for (const service of writers) logs.set(service, await connect(service, databases.get(service) ?? ''))
    const sent = await rebuildTopic(topic, logs, kafka, at => {
      const before = writers.indexOf(at.service)
      bar.at((before + at.logSeq / Math.max(1, at.upTo)) / writers.length, at.sent, at.service)
    })
    bar.end()
    process.stdout.write(`${topics[topic].name} holds ${sent} events, as ${writers.join(', ')} stored them\n`)
  } finally {
    bar.end()
    await Promise.allSettled([...logs.values()].map(db => db.end()))
  }
}
