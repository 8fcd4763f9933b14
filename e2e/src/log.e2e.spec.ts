import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from '@jest/globals'
import { type RunningSystem, sharedSystem } from './running-system.js'

const grantlog = join(import.meta.dirname, '../../apps/cli/dist/main.js')

let running: RunningSystem
beforeAll(async () => {
  running = await sharedSystem()
})

it('grantlog log prints a service’s events in order, from the first, each once', async () => {
  const database = running.backbone.databaseUrl('consent')
  const { stdout } = await promisify(execFile)(process.execPath, [
    grantlog,
    ...['log', '--service', 'consent', '--database', database, '--json', '--after', '0'],
  ])
  const events = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { logseq: number; type: string })
  expect(events.map(event => event.logseq)).toEqual(events.map((_, index) => index + 1))
  expect(events.slice(0, 4).map(event => event.type.replace(/\.v1$/, ''))).toEqual([
    'account.registered',
    'account.registered',
    'organization.created',
    'organization.member-added',
  ])
})
