import type { Command } from './command.js'
import { aclsCommands } from './commands/acls.js'
import { clientsBootstrap } from './commands/clients-bootstrap.js'
import { dbPrepare } from './commands/db-prepare.js'
import { demoCommands } from './commands/demo.js'
import { doctor } from './commands/doctor.js'
import { keysCommands } from './commands/keys.js'
import { log } from './commands/log.js'
import { projectionCommands } from './commands/projections.js'
import { revoke } from './commands/revoke.js'
import { secretsMake } from './commands/secrets-make.js'
import { segmentCommands } from './commands/segments.js'
import { topicsApply, topicsVerify } from './commands/topics.js'
import { topicsRebuild } from './commands/topics-rebuild.js'
import { UsageError } from './usage-error.js'

const commands: readonly Command[] = [
  log,
  clientsBootstrap,
  ...keysCommands,
  revoke,
  topicsApply,
  topicsVerify,
  topicsRebuild,
  ...aclsCommands,
  dbPrepare,
  ...demoCommands,
  secretsMake,
  doctor,
  ...projectionCommands,
  ...segmentCommands,
]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0 || args[0] === 'help' || args[0] === '--help') {
    process.stdout.write(`${overview()}\n`)
    return args.length === 0 ? 2 : 0
  }
  const command = commands.find(each => wordsOf(each).every((word, index) => args[index] === word))
  try {
    if (command === undefined) throw new UsageError(`“${args.join(' ')}” is no command of grantlog.`)
    const rest = args.slice(wordsOf(command).length)
    if (rest.includes('--help')) {
      process.stdout.write(`${helpOf(command)}\n`)
      return 0
    }
    await command.run(rest)
    return Number(process.exitCode ?? 0)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const help = command === undefined ? overview() : helpOf(command)
    process.stderr.write(`grantlog: ${message}\n${error instanceof UsageError ? `\n${help}\n` : ''}`)
    return error instanceof UsageError ? 2 : 1
  }
}

/** The command's name: the words before its options. */
function wordsOf({ usage }: Command): string[] {
  return usage.split(' ').filter(word => /^[a-z]+$/.test(word))
}

function overview(): string {
  const lines = commands.map(each => `  grantlog ${wordsOf(each).join(' ').padEnd(20)} ${each.summary}`)
  return `The operator’s program of Grantlog.\n\n${lines.join('\n')}\n\n  grantlog COMMAND --help      how one is called`
}

function helpOf({ usage, summary, options }: Command): string {
  const width = Math.max(18, ...Object.keys(options).map(name => name.length))
  const lines = Object.entries(options).map(([name, text]) => `  ${name.padEnd(width)} ${text}`)
  return `Usage: grantlog ${usage}\n\n${summary}\n\n${lines.join('\n')}`
}
