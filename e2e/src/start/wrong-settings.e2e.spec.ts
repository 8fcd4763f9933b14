import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type ServiceName, serviceNames } from '@grantlog/launcher'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  compiled,
  isMandatory,
  mainOf,
  mark,
  modulesOf,
  type Row,
  rightEnvironment,
  rightValueOf,
  settingsOf,
  wrongValueOf,
} from './settings.js'

interface Start {
  readonly what: string
  /** Of the variable that the line has to name. */
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

interface End {
  readonly code: number | null | undefined
  readonly stdout: string
  readonly stderr: string
  /** Sockets and servers that were left. */
  readonly open?: readonly string[]
}

const folder = mkdtempSync(join(tmpdir(), 'grantlog-settings-'))
const empty = join(folder, 'empty')
writeFileSync(empty, '\n')

describe.each([...serviceNames])('%s, whose settings are wrong', service => {
  const rows = settingsOf(service)
  // stands where Postgres would be, and has the port: whoever listened there would end in another way
  let postgres: Server
  let connections = 0
  let port: number
  let right: Record<string, string>
  beforeAll(async () => {
    postgres = createServer(socket => {
      connections += 1
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(postgres, 'listening')
    port = (postgres.address() as AddressInfo).port
    right = rightEnvironment(rows, port)
  })
  afterAll(() => {
    postgres.close()
  })

  const without = (name: string) => Object.fromEntries(Object.entries(right).filter(([key]) => key !== name))

  it('gets further with right ones, and then it is seen', async () => {
    const { code, stderr } = await start(service, right)
    expect(code).toBe(1)
    expect(stderr).toContain(service === 'sample-client' ? 'EADDRINUSE' : 'can not be reached')
    expect(connections > 0).toBe(service !== 'sample-client')
    connections = 0
  })

  describe('starts nothing', () => {
    afterEach(() => expect(connections).toBe(0))

    it('without any one that is mandatory, in a process of its own each', async () => {
      const starts = rows
        .filter(isMandatory)
        .map(({ name }): Start => ({ what: `without ${name}`, name, env: without(name) }))
      expect(starts.length).toBeGreaterThan(3)
      await threeAtATime(starts, async one => expectRefusal(service, one, await start(service, one.env)))
    })

    it('whichever one is wrong, or secret that stands in a file', async () => {
      const starts = [
        ...rows.flatMap(row => wrong(row, right)),
        ...rows.filter(({ file }) => file).flatMap(row => inFiles(row, right, without(row.name))),
        ...contradictions(rows, right),
        ...commands(service, right),
      ]
      const ends = await tries(service, starts)
      expect(ends).toHaveLength(starts.length)
      for (const [index, one] of starts.entries()) expectRefusal(service, one, ends[index])
    })
  })
})

afterAll(() => rmSync(folder, { recursive: true }))

it('what is wrong of each type is known, and most settings can be wrong', () => {
  const rows = serviceNames.flatMap(settingsOf)
  const free = rows.filter(row => wrongValueOf(row) === undefined).map(({ name }) => name)
  expect([...new Set(free)].sort()).toEqual([
    'CONFIDENTIAL_CLIENT_ID',
    'CONFIDENTIAL_CLIENT_SECRET',
    'DATABASE_ROLE',
    'KAFKA_PASSWORD',
    'KAFKA_USERNAME',
    'PLATFORM_AUDIENCE',
    'POSITIONS_CLIENT_ID',
    'POSITIONS_CLIENT_SECRET',
    'PUBLIC_CLIENT_ID',
  ])
  expect(() => wrongValueOf({ ...(rows[0] as Row), type: 'colour' })).toThrow('No wrong value is known')
})

function wrong(row: Row, right: Start['env']): Start[] {
  const value = wrongValueOf(row)
  return value === undefined
    ? []
    : [{ what: `${row.name}=${value}`, name: row.name, env: { ...right, [row.name]: value } }]
}

function inFiles(row: Row, right: Start['env'], without: Start['env']): Start[] {
  const { name } = row
  const file = `${name}_FILE`
  return [
    { what: `${file} that is not there`, name, env: { ...without, [file]: join(folder, 'nothing') } },
    { what: `${file} that is a folder`, name, env: { ...without, [file]: folder } },
    { what: `${file} that is empty`, name, env: { ...without, [file]: empty } },
    {
      what: `${name} beside ${file}`,
      name,
      env: { ...right, [name]: rightValueOf(row, right), [file]: empty },
    },
  ]
}

/** Right each by itself. */
function contradictions(rows: readonly Row[], right: Start['env']): Start[] {
  const has = (name: string) => rows.some(row => row.name === name)
  const certificates = rows.find(({ name }) => name === 'KAFKA_CA_CERTIFICATES')
  const kafka = { ...right, EVENT_TRANSPORT: 'kafka', KAFKA_BROKERS: '127.0.0.1:1' }
  const positions = { POSITIONS_ENDPOINT: 'https://auth.example.com/positions', POSITIONS_CLIENT_ID: 'api' }
  const login = { KAFKA_USERNAME: 'token', KAFKA_PASSWORD: mark }
  const all: Start[] = [
    {
      what: 'embedded without sources',
      name: 'EVENT_SOURCES',
      env: { ...kafka, EVENT_TRANSPORT: 'embedded', EVENT_SOURCES: '' },
    },
    { what: 'Kafka without brokers', name: 'KAFKA_BROKERS', env: { ...kafka, KAFKA_BROKERS: '' } },
    { what: 'no password', name: 'KAFKA_PASSWORD', env: { ...kafka, ...login, KAFKA_PASSWORD: '' } },
    { what: 'no user', name: 'KAFKA_USERNAME', env: { ...kafka, ...login, KAFKA_USERNAME: '' } },
    { what: 'positions without a secret', name: 'POSITIONS_CLIENT_SECRET', env: { ...right, ...positions } },
    {
      what: 'a client without where to report',
      name: 'POSITIONS_ENDPOINT',
      env: { ...right, POSITIONS_CLIENT_ID: 'api', POSITIONS_CLIENT_SECRET: mark },
    },
    {
      what: 'a secret of no client',
      name: 'POSITIONS_CLIENT_ID',
      env: { ...right, ...positions, POSITIONS_CLIENT_ID: '', POSITIONS_CLIENT_SECRET: mark },
    },
    {
      what: 'a password in clear',
      name: 'KAFKA_SASL_MECHANISM',
      env: { ...kafka, ...login, KAFKA_SASL_MECHANISM: 'plain' },
    },
    {
      what: 'authorities without TLS',
      name: 'KAFKA_CA_CERTIFICATES',
      env: { ...kafka, ...(certificates && { KAFKA_CA_CERTIFICATES: rightValueOf(certificates, right) }) },
    },
  ]
  const header = {
    what: 'a header of nobody',
    name: 'TRUSTED_PROXIES',
    env: { ...right, CLIENT_CERTIFICATE_HEADER: 'client-cert' },
  }
  return [...all.filter(({ name }) => has(name)), ...(has('CLIENT_CERTIFICATE_HEADER') ? [header] : [])]
}

function commands(service: ServiceName, right: Start['env']): Start[] {
  const command = (name: string, ...args: string[]): Start => ({
    what: `${args.join(' ')} without ${name}`,
    name,
    args,
    env: Object.fromEntries(Object.entries(right).filter(([key]) => key !== name)),
  })
  const migrate = command('DATABASE_URL', 'migrate')
  switch (service) {
    case 'clients':
      return [migrate, command('DATABASE_URL', 'doctor'), command('CLIENT_SECRET_KEYS', 'bootstrap')]
    case 'consent':
      return [migrate, command('DATABASE_URL', 'doctor')]
    case 'token':
      return [migrate, command('DATABASE_URL', 'doctor'), command('KEY_ENCRYPTION_KEY', 'keys', 'list')]
    case 'resource':
      return [migrate, command('AUDIENCE', 'seed')]
    case 'sample-client':
      return []
  }
}

/** One line that names the variable, what is wrong and an example; exit code 78 (EX_CONFIG); and nothing else. */
function expectRefusal(service: ServiceName, { what, name, env }: Start, end: End | undefined): void {
  const line = new RegExp(`^${service}: ${name}[ =][^\\n]{10,}, for example [A-Z_]+=[^\\n]+\\n$`)
  expect({ what, ...end }).toEqual({
    what,
    code: 78,
    stdout: '',
    stderr: expect.stringMatching(line),
    ...(end?.open && { open: [] }),
  })
  for (const secret of secretsIn(env)) expect(end?.stderr).not.toContain(secret)
}

const secretNames = new Set(serviceNames.flatMap(settingsOf).flatMap(row => (row.secret ? [row.name] : [])))

function secretsIn(env: Start['env']): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    secretNames.has(name) && value !== '' ? [value] : [],
  )
}

async function start(service: ServiceName, env: Start['env']): Promise<End> {
  const child = spawn(process.execPath, [mainOf(service)], { env: { ...compiled, ...env } })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

async function threeAtATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all([worker(), worker(), worker()])
}

/** All of them in one process. */
async function tries(service: ServiceName, starts: readonly Start[]): Promise<End[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'tries.mjs'), modulesOf(service)], {
    env: compiled,
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 30_000,
  })
  child.stdin.end(JSON.stringify(starts))
  return JSON.parse(await text(child.stdout))
}
