import { type Service, services } from '@grantlog/contracts'
import { examine, type Finding, type KafkaOptions, repair } from '@grantlog/eventing'
import type pg from 'pg'
import { type Command, readOptions } from '../command.js'
import { connect, databasesFrom, serviceNamed } from '../databases.js'
import { findKafka, kafkaHelp, kafkaOptions } from '../kafka.js'
import { examineStates } from '../service-doctor.js'
import { UsageError } from '../usage-error.js'

export const doctor: Command = {
  usage:
    'doctor [--service NAME]… [--database SERVICE=URL]… [--brokers LIST] [--prefix TEXT] [--json] [--repair]',
  summary: 'look whether anything is wrong with the logs and the topics, and say what to do',
  options: {
    '--service NAME': `only this service: ${services.join(', ')}; may be repeated`,
    '--database SERVICE=URL':
      'a service’s database, or only its URL with one --service; may be repeated; those of the npm start here, without it',
    ...kafkaHelp,
    '--json': 'one JSON object: findings, and what was repaired',
    '--repair': 'mend what can be mended without a loss, and look again; stop the services first',
  },

  async run(args) {
    const values = readOptions(args, {
      ...kafkaOptions,
      service: { type: 'string', multiple: true, default: [] },
      database: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      repair: { type: 'boolean', default: false },
    })
    const databases = chosen(values.service, values.database)
    const kafka = findKafka(values)
    const { logs, unreachable } = await connectAll(databases)
    try {
      let findings = [...unreachable, ...(await look(logs, databases, kafka))]
      const repaired = values.repair ? await repair(logs, findings) : []
      if (repaired.length > 0) findings = [...unreachable, ...(await look(logs, databases, kafka))]
      process.stdout.write(
        values.json ? `${JSON.stringify({ findings, repaired })}\n` : report(findings, repaired),
      )
      if (findings.some(({ ok }) => !ok)) process.exitCode = 1
    } finally {
      await Promise.allSettled([...logs.values()].map(db => db.end()))
    }
  },
}

function chosen(names: readonly string[], given: readonly string[]): ReadonlyMap<Service, string> {
  const wanted = names.map(name => serviceNamed('--service', name))
  const [only, ...more] = wanted
  const named = given.map(entry =>
    /^postgres(ql)?:/.test(entry) && only !== undefined && more.length === 0 ? `${only}=${entry}` : entry,
  )
  const all = databasesFrom(named)
  const databases = new Map([...all].filter(([service]) => wanted.length === 0 || wanted.includes(service)))
  const missing = wanted.find(service => !databases.has(service))
  if (missing !== undefined || databases.size === 0)
    throw new UsageError(
      `Say where the log of ${missing ?? 'each service'} is: --database ${missing ?? 'SERVICE'}=postgres://…; no npm start has run in this folder or above it.`,
    )
  return databases
}

/** What does not answer is a finding too: the others are looked at. */
async function connectAll(databases: ReadonlyMap<Service, string>) {
  const logs = new Map<Service, pg.Client>()
  const unreachable: Finding[] = []
  for (const [service, url] of databases) {
    try {
      const db = await connect(service, url)
      logs.set(service, db)
      await db.query('select from log_end')
    } catch (error) {
      await logs.get(service)?.end()
      logs.delete(service)
      const what = error instanceof Error ? error.message : String(error)
      const todo = 'See that Postgres runs, and that this is a database of Grantlog.'
      unreachable.push({ check: 'database', service, ok: false, severity: 'error', what, todo })
    }
  }
  return { logs, unreachable }
}

async function look(
  logs: ReadonlyMap<Service, pg.Client>,
  databases: ReadonlyMap<Service, string>,
  kafka: KafkaOptions | undefined,
): Promise<Finding[]> {
  const findings = await examine(logs, kafka)
  for (const service of logs.keys())
    findings.push(...(await examineStates(service, databases.get(service) ?? '')))
  return findings
}

function report(findings: readonly Finding[], repaired: readonly string[]): string {
  const lines = findings.map(({ ok, service, check, severity, what, todo }) =>
    ok
      ? `ok       ${service.padEnd(8)} ${what}`
      : `${severity.padEnd(8)} ${service.padEnd(8)} ${what} [${check}]\n                  → ${todo}`,
  )
  const wrong = findings.filter(({ ok }) => !ok).length
  const end = wrong === 0 ? 'Nothing is wrong.' : `${wrong} ${wrong === 1 ? 'finding' : 'findings'}.`
  return `${[...repaired.map(text => `repaired ${text}`), ...lines, '', end].join('\n')}\n`
}
