import { type Access, applyAccess, wantedAccess } from '@grantlog/eventing'
import { type Command, readOptions } from '../command.js'
import { kafkaHelp, kafkaOf, kafkaOptions } from '../kafka.js'

/** What the services' users may do on Kafka. */
export const aclsCommands: readonly Command[] = [
  {
    usage: 'acls list [--prefix TEXT] [--json]',
    summary: 'show what each service needs of Kafka; each is a user of its own name',
    options: { '--prefix TEXT': kafkaHelp['--prefix TEXT'], '--json': 'one JSON array' },
    async run(args) {
      const { prefix = process.env.KAFKA_TOPIC_PREFIX, json } = readOptions(args, {
        prefix: { type: 'string' },
        json: { type: 'boolean' },
      })
      const wanted = wantedAccess(prefix)
      process.stdout.write(json ? `${JSON.stringify(wanted)}\n` : wanted.map(lineOf).join(''))
    },
  },
  {
    usage: 'acls apply [--brokers LIST] [--prefix TEXT]',
    summary: 'allow it on Kafka, and say what those users may do besides; take nothing away',
    options: kafkaHelp,
    async run(args) {
      const { allowed, besides } = await applyAccess(kafkaOf(readOptions(args, kafkaOptions)))
      for (const access of allowed) process.stdout.write(`allowed ${lineOf(access)}`)
      if (allowed.length === 0) process.stdout.write('nothing was missing\n')
      if (besides.length > 0) throw new Error(besides.map(words => `also allowed: ${words}`).join('\n'))
    },
  },
]

const lineOf = ({ user, operation, resource, name, pattern }: Access) =>
  `${user.padEnd(8)} ${operation.padEnd(5)} ${resource} ${name}${pattern === 'prefixed' ? '*' : ''}\n`
