import type { Command } from '../command.js'
import { readOptions } from '../command.js'
import { runServiceCommand } from '../service-command.js'

export const clientsBootstrap: Command = {
  usage: 'clients bootstrap [--json | --secret-file FILE]',
  summary: 'register the operator’s client, once; prints its secret, once',
  options: {
    '--json': 'one JSON object: client_id, client_secret',
    '--secret-file FILE':
      'holds the secret that it is to have: then nothing is printed, and it may be run again and again',
  },
  async run(args) {
    readOptions(args, { json: { type: 'boolean' }, 'secret-file': { type: 'string' } })
    await runServiceCommand('clients', ['bootstrap', ...args])
  },
}
