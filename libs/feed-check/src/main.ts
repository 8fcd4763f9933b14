import { randomUUID } from 'node:crypto'
import type { KafkaOptions } from '@grantlog/eventing'
import { check, type Result } from './check.js'
import { CommandConsumer, type Consumer, ProbedConsumer } from './consumer.js'
import { httpCases } from './http-cases.js'
import { HttpFeed } from './http-feed.js'
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
    const results = await resultsOf(options)
    process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : `${report(results)}\n`)
    return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
  } catch (error) {
    const usage = error instanceof UsageError
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`feed-check: ${message}\n${usage ? `\n${help}\n` : ''}`)
    return usage ? 2 : 3
  }
}

function resultsOf(options: Options): Promise<Result[]> {
  const { feed, patience } = options
  const rest = { consumer: () => consumerOf(options), patience }
  if ('http' in feed) return check({ cases: httpCases, feed: () => new HttpFeed(feed.http), ...rest })
  const topicPrefix = () => prefixOf(feed.kafka, options.command)
  return check({
    cases: kafkaCases,
    feed: () => new KafkaFeed({ ...feed.kafka, topicPrefix: topicPrefix() }),
    ...rest,
  })
}

/** A new topic for each consumer that we start; whoever is started elsewhere knows one. */
function prefixOf({ topicPrefix = '' }: KafkaOptions, command: readonly string[]): string {
  return command.length === 0 ? topicPrefix : `${topicPrefix}feed-check-${randomUUID().slice(0, 8)}.`
}

function consumerOf({ command, probe }: Options): Consumer {
  const started = command.length > 0 ? new CommandConsumer(command) : undefined
  if (probe !== undefined) return new ProbedConsumer(probe, started)
  if (started === undefined) throw new UsageError('Say which consumer: -- COMMAND, --probe URL, or both.')
  return started
}
