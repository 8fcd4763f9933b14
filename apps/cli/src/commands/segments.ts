import { type Service, services } from '@grantlog/contracts'
import { attachSegment, detachSegment, listSegments, type Segment, SegmentStays } from '@grantlog/eventing'
import type pg from 'pg'
import { type Command, readOptions } from '../command.js'
import { connect, databasesFrom, serviceNamed } from '../databases.js'
import { UsageError } from '../usage-error.js'

const databaseHelp = {
  '--service NAME': `whose log: ${services.join(', ')}`,
  '--database URL': 'its database, as the owner of its tables; that of the npm start here, without it',
}
const databaseOptions = {
  service: { type: 'string' },
  database: { type: 'string' },
} as const
const youngestDays = 1
const dayMilliseconds = 86_400_000

export const segmentCommands: readonly Command[] = [
  {
    usage: 'segments list --service NAME [--database URL] [--json]',
    summary: 'say where each segment of a log is: in the database, or in which file',
    options: { ...databaseHelp, '--json': 'one JSON array' },
    async run(args) {
      const values = readOptions(args, { ...databaseOptions, json: { type: 'boolean', default: false } })
      await withLog(values, async (db, service) => {
        const segments = await listSegments(db, service)
        process.stdout.write(values.json ? `${JSON.stringify(segments)}\n` : segments.map(lineOf).join(''))
      })
    },
  },
  {
    usage: 'segments detach --service NAME --to FOLDER [--older-than DAYS] [--database URL]',
    summary: 'move the full segments of a log that are old enough to files, oldest first',
    options: {
      ...databaseHelp,
      '--to FOLDER': 'where the files go; they hold what the database held: keep them as safe',
      '--older-than DAYS':
        'only events, and ended streams, older than so many days; 400 without it, 1 at least',
    },
    async run(args) {
      const values = readOptions(args, {
        ...databaseOptions,
        to: { type: 'string' },
        'older-than': { type: 'string', default: '400' },
      })
      const folder = folderOf('--to', values.to)
      const days = Number(values['older-than'])
      if (!/^\d{1,5}$/.test(values['older-than']) || days < youngestDays)
        throw new UsageError(`--older-than must be a whole number of days, ${youngestDays} or more.`)
      const before = new Date(Date.now() - days * dayMilliseconds)
      await withLog(values, (db, service) =>
        untilOneStays(async () => {
          process.stdout.write(`detached ${await detachSegment(db, service, folder, before)}\n`)
        }),
      )
    },
  },
  {
    usage: 'segments attach --service NAME --from FOLDER [--all] [--database URL]',
    summary: 'bring the segment back that was detached last, so that its events can be read and replayed',
    options: {
      ...databaseHelp,
      '--from FOLDER': 'where the files are',
      '--all': 'all of them, the newest first',
    },
    async run(args) {
      const values = readOptions(args, {
        ...databaseOptions,
        from: { type: 'string' },
        all: { type: 'boolean', default: false },
      })
      const folder = folderOf('--from', values.from)
      await withLog(values, (db, service) => {
        const one = async () => {
          const { firstSeq, lastSeq } = await attachSegment(db, service, folder)
          process.stdout.write(`attached ${firstSeq} to ${lastSeq}\n`)
        }
        return values.all ? untilOneStays(one) : one()
      })
    },
  },
]

async function withLog(
  values: { service?: string | undefined; database?: string | undefined },
  work: (db: pg.Client, service: Service) => Promise<void>,
): Promise<void> {
  if (values.service === undefined) throw new UsageError('Say whose log it is, with --service.')
  const service = serviceNamed('--service', values.service)
  const url = values.database ?? databasesFrom([]).get(service)
  if (url === undefined)
    throw new UsageError(
      `Say where the log of ${service} is: --database postgres://…; no npm start has run in this folder or above it.`,
    )
  if (!/^postgres(ql)?:\/\//.test(url)) throw new UsageError('--database must be postgres://….')
  const db = await connect(service, url)
  await work(db, service).finally(() => db.end().catch(() => undefined))
}

function folderOf(option: string, folder: string | undefined): string {
  if (folder === undefined) throw new UsageError(`Say where the files are, with ${option}.`)
  return folder
}

/** Goes on until nothing is left to do; the first must be done. @throws SegmentStays when it is not */
async function untilOneStays(work: () => Promise<void>): Promise<void> {
  for (let done = 0; ; done++) {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof SegmentStays)) throw error
      if (done === 0) throw error
      process.stdout.write(`${error.message}\n`)
      return
    }
  }
}

function lineOf({ number, where, full, file }: Segment): string {
  const what = where === 'file' ? `in ${file}` : full ? 'in the database, full' : 'in the database'
  return `${String(number).padStart(6)}  ${what}\n`
}
