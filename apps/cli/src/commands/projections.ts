import type { Service } from '@grantlog/contracts'
import {
  askProjection,
  type ProjectionAction,
  type ReadModel,
  readModels,
  requestState,
} from '@grantlog/eventing'
import type pg from 'pg'
import { type Command, readArguments } from '../command.js'
import { connect, databasesFrom } from '../databases.js'
import { ProgressBar } from '../progress.js'
import { UsageError } from '../usage-error.js'

const pollMilliseconds = 200
const takenSeconds = 15
const databaseOption = {
  '--database SERVICE=URL': 'a service’s database; may be repeated; those of the npm start here without it',
}

const status: Command = {
  usage: 'projections status [--database SERVICE=URL]… [--json]',
  summary: 'say how each read model is: what waits, what is parked, why it stands still',
  options: { ...databaseOption, '--json': 'one JSON document' },
  async run(args) {
    const { values } = read(args, 0, { json: true })
    const models: ReadModel[] = []
    for (const [service, url] of databases(values.database)) {
      const db = await connect(service, url)
      models.push(...(await readModels(db).finally(() => db.end())))
    }
    process.stdout.write(values.json ? `${JSON.stringify(models)}\n` : models.map(describe).join(''))
  },
}

function describe(model: ReadModel): string {
  const { projection, waiting, parkedKeys, parked } = model
  const more = parkedKeys > parked.length ? `    … and ${parkedKeys - parked.length} more\n` : ''
  const keys = parked.map(
    ({ key, events, error }) =>
      `    parked: ${key}, ${events} ${events === 1 ? 'event' : 'events'}: ${error}\n`,
  )
  return `${projection.padEnd(28)} ${stateOf(model)}${waiting > 0 ? `, ${waiting} waiting` : ''}\n${keys.join('')}${more}`
}

function stateOf({ kept, caughtUp, trouble }: ReadModel): string {
  if (!kept) return 'kept by no instance: is the service running?'
  if (trouble !== null) return `stopped: ${trouble}`
  return caughtUp ? 'goes on' : 'is being filled for the first time'
}

/** What an instance of the service does when it is asked to. */
function action(name: ProjectionAction, summary: string, key?: string): Command {
  return {
    usage: `projections ${name} PROJECTION ${key ? `${key} ` : ''}[--database SERVICE=URL]…`,
    summary,
    options: {
      PROJECTION: 'its name, as projections status shows it',
      ...(key && { [key]: 'the key that is parked, as projections status shows it' }),
      ...databaseOption,
    },
    async run(args) {
      const { values, words } = read(args, key ? 2 : 1)
      const [projection = '', parkedKey] = words
      const [service] = projection.split('.')
      const found = [...databases(values.database)].find(([known]) => known === service)
      if (found === undefined)
        throw new UsageError(`“${projection}” is no projection of a service that is known here.`)
      const db = await connect(...found)
      try {
        await assertKept(db, projection, found[0])
        const id = await askProjection(db, projection, name, parkedKey)
        process.stdout.write(`${await outcome(db, id, `${name} ${projection}`)}\n`)
      } finally {
        await db.end()
      }
    },
  }
}

/** @throws Error with the sentence that says why it was not done */
async function outcome(db: pg.Client, id: string, what: string): Promise<string> {
  const bar = new ProgressBar(what, 'read')
  const asked = Date.now()
  try {
    for (;;) {
      const { taken, progress, ok, outcome } = await requestState(db, id)
      if (ok === true) return outcome ?? ''
      if (ok === false) throw new Error(outcome ?? 'it failed')
      if (!taken && Date.now() - asked > takenSeconds * 1000)
        throw new Error(
          'No instance of the service has begun with it yet; it is kept, and done as soon as one does.',
        )
      if (progress) bar.at(progress.of === 0 ? 1 : progress.read / progress.of, progress.read, progress.stage)
      await new Promise(resolve => setTimeout(resolve, pollMilliseconds))
    }
  } finally {
    bar.end()
  }
}

async function assertKept(db: pg.Client, projection: string, service: Service): Promise<void> {
  const models = await readModels(db)
  const model = models.find(known => known.projection === projection)
  if (model === undefined) {
    const names = models.map(known => known.projection).join(', ')
    throw new UsageError(`${service} keeps no projection ${projection}. It keeps: ${names || 'none'}.`)
  }
  if (!model.kept) throw new Error(`No instance of ${service} keeps ${projection}: start the service first.`)
}

function databases(given: readonly string[] | undefined) {
  const found = databasesFrom(given ?? [])
  if (found.size === 0)
    throw new UsageError(
      'No npm start has run in this folder or above it: say where with --database SERVICE=postgres://….',
    )
  return found
}

function read(args: readonly string[], count: number, { json = false } = {}) {
  const { values, words } = readArguments(args, {
    database: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  })
  if (values.json && !json) throw new UsageError('Unknown option --json')
  if (words.length !== count)
    throw new UsageError(words.length < count ? 'Something is missing.' : `“${words.at(-1)}” is too much.`)
  return { values, words }
}

export const projectionCommands: readonly Command[] = [
  status,
  action('rebuild', 'build a read model anew beside the one that serves, check it, and swap them'),
  action('compare', 'compare a read model with a pure replay of its events'),
  action('retry', 'apply the parked events of a key again', 'KEY'),
  action('skip', 'leave out a key’s event that can not be applied, and apply those behind it', 'KEY'),
]
