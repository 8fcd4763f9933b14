import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Demonstration,
  makeDemonstration,
  type Once,
  prove,
  type Site,
  Steps,
} from '@grantlog/demonstration'
import { type Command, readOptions } from '../command.js'
import { readSecret } from '../secret.js'
import { UsageError } from '../usage-error.js'

const demoMake: Command = {
  usage: 'demo make --issuer URL --api URL --application URL --operator-secret FILE --into FOLDER',
  summary:
    'make the demonstration’s people, company, API and applications, over HTTP; goes on where it was cut off',
  options: {
    '--issuer URL': 'the platform, as its tokens name it',
    '--api URL': 'the sample API’s host; its audience is URL/invoices',
    '--application URL': 'the sample application',
    '--clients URL': 'the clients service, where it is not at the issuer’s host',
    '--consent URL': 'the consent service, where it is not at the issuer’s host',
    '--operator-secret FILE': 'holds the secret that clients bootstrap gave to the operator’s client',
    '--into FOLDER':
      'what was made: demo.json; owners, for the sample API’s seed; and a file per setting of the sample application and the sample API',
  },
  async run(args) {
    const options = readOptions(args, {
      issuer: { type: 'string' },
      api: { type: 'string' },
      application: { type: 'string' },
      clients: { type: 'string' },
      consent: { type: 'string' },
      'operator-secret': { type: 'string' },
      into: { type: 'string' },
    })
    const issuer = readUrl('--issuer', options.issuer)
    const site: Site = {
      issuer,
      clients: readUrl('--clients', options.clients ?? issuer),
      consent: readUrl('--consent', options.consent ?? issuer),
      audience: `${readUrl('--api', options.api)}/invoices`,
      application: readUrl('--application', options.application),
    }
    const secret = readSecret(needed('--operator-secret', options['operator-secret']))
    const folder = needed('--into', options.into)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const made = await makeDemonstration(site, { id: 'operator', secret }, remembering(folder))
    for (const [name, text] of Object.entries(filesOf(site, made))) write(folder, name, text)
    process.stdout.write(`${made.person.name}, ${made.company.name}, an API, two applications: ${folder}\n`)
  },
}

const demoProve: Command = {
  usage: 'demo prove --demo FOLDER [--json]',
  summary: 'do the main job as a client and a person do it, over HTTP; exit code 1 where a step fails',
  options: {
    '--demo FOLDER': 'what demo make has written',
    '--json': 'one JSON object: ok, steps, revokedToDeniedMs',
  },
  async run(args) {
    const { demo, json } = readOptions(args, { demo: { type: 'string' }, json: { type: 'boolean' } })
    const file = join(needed('--demo', demo), 'demo.json')
    const { site, ...made } = JSON.parse(readSecret(file)) as Demonstration & { readonly site: Site }
    const steps = new Steps(({ name, ok, ms, detail }) => {
      if (!json)
        process.stdout.write(`${ok ? '✓' : '✗'} ${name.padEnd(14)} ${String(ms).padStart(5)} ms  ${detail}\n`)
    })
    // the failed step says why
    const revokedToDeniedMs = await prove(site, made, steps).catch(() => null)
    const ok = revokedToDeniedMs !== null
    if (json) process.stdout.write(`${JSON.stringify({ ok, steps: steps.taken, revokedToDeniedMs })}\n`)
    else process.stdout.write(ok ? 'proved\n' : 'not proved: see the failed step\n')
    process.exitCode = ok ? 0 : 1
  },
}

export const demoCommands: readonly Command[] = [demoMake, demoProve]

function filesOf(site: Site, made: Demonstration): Record<string, string> {
  return {
    owners: made.owners.join(' '),
    'confidential-client-id': made.confidential.id,
    'confidential-client-secret': made.confidential.secret,
    'public-client-id': made.publicClient.id,
    'api-client-id': made.apiClient.id,
    'api-client-secret': made.apiClient.secret,
    'demo.json': JSON.stringify({ site, ...made }, null, 2),
  }
}

/** Keeps each outcome in a file as soon as it is there: what a server has made once is not asked for twice. */
function remembering(folder: string): Once {
  const name = 'made.json'
  const made = readMade(join(folder, name))
  return async (what, work) => {
    const answer = made[what] ?? (await work())
    made[what] = answer
    write(folder, name, JSON.stringify(made))
    return answer
  }
}

function readMade(file: string): Record<string, Awaited<ReturnType<Once>>> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Error(`${file} can not be read: ${String(error)}`)
  }
}

/** All of it or nothing, and for its owner alone: there are secrets among them. */
function write(folder: string, name: string, text: string): void {
  const file = join(folder, name)
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function readUrl(option: string, text: string | undefined): string {
  const url = needed(option, text)
  if (!/^https?:\/\/[^/?#]+$/.test(url) || !URL.canParse(url))
    throw new UsageError(`${option} must be a host’s URL without a path, not “${url}”.`)
  return url
}

function needed(option: string, text: string | undefined): string {
  if (!text) throw new UsageError(`${option} is missing.`)
  return text
}
