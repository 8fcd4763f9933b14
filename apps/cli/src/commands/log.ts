import { type Envelope, eventLine, type Service, services } from '@grantlog/contracts'
import { readLog } from '@grantlog/eventing'
import pg from 'pg'
import { type Command, readOptions } from '../command.js'
import { databasesOf, findInstallation } from '../installation.js'
import { UsageError } from '../usage-error.js'

const batch = 500
const pollMilliseconds = 200

/** Prints events in order: of one service in the order of its log, of several in the order of time. */
export const log: Command = {
  usage: 'log [--service NAME]… [--after N] [--limit N] [--follow] [--json] [--database URL]',
  summary: 'print what happened, in order',
  options: {
    '--service NAME': `only this service: ${services.join(', ')}; may be repeated`,
    '--after N': 'only events after this number of the service’s log (with one --service)',
    '--limit N': 'the last N events of each service; 100 unless --after is given',
    '--follow': 'go on as it happens, until Ctrl-C',
    '--json': 'one CloudEvents document per line, the bytes that consumers get',
    '--database URL': 'the service’s database (with one --service), where no npm start runs here',
  },

  async run(args) {
    const wish = readWish(args)
    const logs = await Promise.all(
      [...wish.databases].map(([service, url]) => ServiceLog.open(service, url, wish)),
    )
    const say = (event: Envelope) => process.stdout.write(`${wish.json ? eventLine(event) : lineOf(event)}\n`)
    try {
      await print(logs, say)
      if (!wish.follow) return
      const interrupted = new Promise<'interrupted'>(resolve =>
        process.once('SIGINT', () => resolve('interrupted')),
      )
      const pause = () => new Promise<void>(resolve => setTimeout(resolve, pollMilliseconds))
      while ((await Promise.race([pause(), interrupted])) !== 'interrupted') await print(logs, say)
    } finally {
      await Promise.all(logs.map(each => each.close()))
    }
  },
}

interface Wish {
  readonly databases: ReadonlyMap<Service, string>
  readonly after: number | undefined
  readonly limit: number
  readonly follow: boolean
  readonly json: boolean
}

function readWish(args: readonly string[]): Wish {
  const values = readOptions(args, {
    service: { type: 'string', multiple: true },
    after: { type: 'string' },
    limit: { type: 'string' },
    follow: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    database: { type: 'string' },
  })
  const wanted = (values.service ?? []).map(name => {
    const service = services.find(known => known === name)
    if (service === undefined)
      throw new UsageError(`--service must be one of ${services.join(', ')}, not “${name}”.`)
    return service
  })
  const [only, ...more] = wanted
  const single = only !== undefined && more.length === 0
  if (values.after !== undefined && !single)
    throw new UsageError('--after needs one --service: each log counts for itself.')
  if (values.database !== undefined && !single)
    throw new UsageError('--database needs one --service: whose log is it?')
  return {
    databases: values.database !== undefined && only ? new Map([[only, values.database]]) : here(wanted),
    after: wholeNumber('--after', values.after),
    limit:
      wholeNumber('--limit', values.limit) ?? (values.after === undefined ? 100 : Number.MAX_SAFE_INTEGER),
    follow: values.follow,
    json: values.json,
  }
}

function here(wanted: readonly Service[]): ReadonlyMap<Service, string> {
  const installation = findInstallation()
  if (installation === undefined) {
    throw new UsageError(
      'No npm start has run in this folder or above it: say where the log is with --service and --database.',
    )
  }
  const all = databasesOf(installation)
  return wanted.length === 0 ? all : new Map([...all].filter(([service]) => wanted.includes(service)))
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${option} must be a whole number, not “${text}”.`)
  return Number(text)
}

/** One service's log, read from a number on. */
class ServiceLog {
  private constructor(
    private readonly service: Service,
    private readonly db: pg.Client,
    private after: number,
    private left: number,
  ) {}

  static async open(service: Service, url: string, { after, limit, follow }: Wish): Promise<ServiceLog> {
    const db = new pg.Client({ connectionString: url, application_name: 'grantlog log' })
    try {
      await db.connect()
      const { rows } = await db.query<{ last_seq: string; detached_up_to: string }>(
        'select last_seq, detached_up_to from log_end',
      )
      const last = Number(rows[0]?.last_seq ?? 0)
      const from = after ?? Math.max(Number(rows[0]?.detached_up_to ?? 0), last - limit)
      return new ServiceLog(service, db, from, follow ? Number.MAX_SAFE_INTEGER : limit)
    } catch (error) {
      await db.end()
      const { host, pathname } = URL.parse(url) ?? { host: '', pathname: 'that is no URL' }
      const why = error instanceof Error ? error.message || 'nobody answers' : String(error)
      throw new Error(
        `The log of ${service} can not be read from ${host}${pathname}: ${why}. Is Grantlog running?`,
      )
    }
  }

  async next(): Promise<Envelope[]> {
    const events = await readLog(this.db, this.service, this.after, Math.min(batch, this.left))
    this.after += events.length
    this.left -= events.length
    return events
  }

  async close(): Promise<void> {
    await this.db.end()
  }
}

/** All that there is by now. */
async function print(logs: readonly ServiceLog[], say: (event: Envelope) => void): Promise<void> {
  const found: Envelope[] = []
  for (const each of logs) {
    for (let events = await each.next(); events.length > 0; events = await each.next()) {
      if (logs.length === 1) events.forEach(say)
      else found.push(...events)
    }
  }
  found.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.logseq - b.logseq)).forEach(say)
}

function lineOf({ time, source, logseq, type, subject, authtype, authid, data }: Envelope): string {
  const name = type.replace(/\.v\d+$/, '')
  const head = `${time.replace('T', ' ').replace('Z', '')}  ${source.padEnd(8)}${String(logseq).padStart(6)}  ${name.padEnd(26)}`
  return `${head} ${subject}  by ${authtype} ${authid}  ${JSON.stringify(data)}`
}
