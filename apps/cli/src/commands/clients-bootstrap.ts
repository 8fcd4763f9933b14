import type { Command } from '../command.js'
import { readOptions } from '../command.js'
import { runServiceCommand } from '../service-command.js'

export const clientsBootstrap: Command = {
  usage: 'clients bootstrap [--json]',
  summary: 'register the operator’s client, once; prints its secret, once',
  options: {
    '--json': 'one JSON object: client_id, client_secret',
  },
  async run(args) {
    readOptions(args, { json: { type: 'boolean' } })
    await runServiceCommand('clients', ['bootstrap', ...args])
  },
}
