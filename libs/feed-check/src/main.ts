import { randomUUID } from 'node:crypto'
import { check } from './check.js'
import { CommandConsumer, type Consumer, ProbedConsumer } from './consumer.js'
import { kafkaCases } from './kafka-cases.js'
import { KafkaFeed } from './kafka-feed.js'
import { help, type Options, readOptions, UsageError } from './options.js'
import { report } from './report.js'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === '--help' || args[0] === 'help') {
    process.stdout.write(`${help}\n`)
    return 0
  }
  try {
    const options = readOptions(args)
    const results = await check({
      cases: kafkaCases,
      feed: () => new KafkaFeed({ ...options.kafka, topicPrefix: prefixOf(options) }),
      consumer: () => consumerOf(options),
      patience: options.patience,
    })
    process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : `${report(results)}\n`)
    return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
  } catch (error) {
    const usage = error instanceof UsageError
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`feed-check: ${message}\n${usage ? `\n${help}\n` : ''}`)
    return usage ? 2 : 3
  }
}

/** A new topic for each consumer that we start; whoever is started elsewhere knows one. */
function prefixOf({ kafka, command }: Options): string {
  const { topicPrefix = '' } = kafka
  return command.length === 0 ? topicPrefix : `${topicPrefix}feed-check-${randomUUID().slice(0, 8)}.`
}

function consumerOf({ command, probe }: Options): Consumer {
  const started = command.length > 0 ? new CommandConsumer(command) : undefined
  if (probe !== undefined) return new ProbedConsumer(probe, started)
  if (started === undefined) throw new UsageError('Say which consumer: -- COMMAND, --probe URL, or both.')
  return started
}
