import { applyTopics, verifyTopics } from '@grantlog/eventing'
import { type Command, readOptions } from '../command.js'
import { kafkaHelp, kafkaOf, kafkaOptions } from '../kafka.js'

export const topicsApply: Command = {
  usage: 'topics apply [--brokers LIST] [--prefix TEXT]',
  summary: 'create the topics that are missing; change nothing that exists',
  options: kafkaHelp,
  async run(args) {
    const { created, wrong } = await applyTopics(kafkaOf(readOptions(args, kafkaOptions)))
    for (const name of created) process.stdout.write(`created ${name}\n`)
    if (created.length === 0) process.stdout.write('nothing was missing\n')
    assertRight(wrong)
  },
}

export const topicsVerify: Command = {
  usage: 'topics verify [--brokers LIST] [--prefix TEXT]',
  summary: 'say how the topics differ from what they must be',
  options: kafkaHelp,
  async run(args) {
    assertRight(await verifyTopics(kafkaOf(readOptions(args, kafkaOptions))))
    process.stdout.write('every topic is as it must be\n')
  },
}

function assertRight(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}
