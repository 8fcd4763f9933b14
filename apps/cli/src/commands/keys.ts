import { type Command, readArguments, readOptions } from '../command.js'
import { runServiceCommand } from '../service-command.js'
import { UsageError } from '../usage-error.js'

/** With the environment of the token service, whose keys they are. */
export const keysCommands: readonly Command[] = [
  {
    usage: 'keys list [--json]',
    summary: 'show the signing keys: announced, active, or retained while a token of it may be good',
    options: { '--json': 'one JSON array' },
    async run(args) {
      readOptions(args, { json: { type: 'boolean' } })
      await runServiceCommand('token', ['keys', 'list', ...args])
    },
  },
  {
    usage: 'keys compromise KID [--reason TEXT]',
    summary: 'revoke everything that a key signed; another one signs at once',
    options: {
      KID: 'the key’s id, as keys list shows it',
      '--reason TEXT': 'why, for the log; name no person',
    },
    async run(args) {
      const { words } = readArguments(args, { reason: { type: 'string' } })
      if (words.length !== 1) throw new UsageError('Name one key.')
      await runServiceCommand('token', ['keys', 'compromise', ...args])
    },
  },
  {
    usage: 'keys rotate [--alg NAME]',
    summary: 'announce the next key now; it takes over when it was known for long enough',
    options: { '--alg NAME': 'ES256, EdDSA, PS256 or RS256; ES256 without it' },
    async run(args) {
      readOptions(args, { alg: { type: 'string' } })
      await runServiceCommand('token', ['keys', 'rotate', ...args])
    },
  },
]
