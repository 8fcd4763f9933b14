import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { services } from '@grantlog/contracts'
import { type Command, readArguments } from '../command.js'
import { UsageError } from '../usage-error.js'

const databases = [...services, 'resource']

export const secretsMake: Command = {
  usage: 'secrets make FOLDER [--postgres HOST:PORT]',
  summary: 'make the secrets of an installation, a folder for each who reads them; those that are there stay',
  options: {
    FOLDER: 'holds the folders, such as token/KEY_ENCRYPTION_KEY; only whoever calls this can read the files',
    '--postgres HOST:PORT': 'as the services reach it; postgres:5432 without it',
  },
  async run(args) {
    const { values, words } = readArguments(args, { postgres: { type: 'string' } })
    const [folder, ...more] = words
    if (folder === undefined || more.length > 0) throw new UsageError('Name one folder.')
    const { postgres = 'postgres:5432' } = values
    if (!/^[^\s:/@]+:\d{1,5}$/.test(postgres)) throw new UsageError('--postgres must be host:port.')
    const made = makeSecrets(folder, postgres)
    for (const name of made) process.stdout.write(`made ${name}\n`)
    if (made.length === 0) process.stdout.write('nothing was missing\n')
  },
}

/** Returns the names of those that were missing. */
function makeSecrets(folder: string, postgres: string): string[] {
  const made: string[] = []
  /** What more than one reads is made for the first, and copied: so a folder that was lost gets the same again. */
  const keep = (name: string, make: () => string): string => {
    const path = join(folder, name)
    if (existsSync(path)) return readFileSync(path, 'utf8')
    const value = make()
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(`${path}.new`, { force: true }) // of a run that was cut off: nobody may write to it
    writeFileSync(`${path}.new`, value, { mode: 0o400 })
    renameSync(`${path}.new`, path) // whole, or not at all
    made.push(name)
    return value
  }
  const url = (user: string, password: string, database: string) =>
    `postgres://${user}:${password}@${postgres}/${database}`

  const admin = keep('postgres/POSTGRES_PASSWORD', key)
  keep('databases/ADMIN_DATABASE_URL', () => url('postgres', admin, 'postgres'))
  for (const name of databases) {
    const owner = keep(`databases/${name}/OWNER_PASSWORD`, key)
    keep(`databases/${name}/OWNER_URL`, () => url(`${name}_owner`, owner, name))
    const password = keep(`databases/${name}/PASSWORD`, key)
    keep(`${name}/DATABASE_URL`, () => url(name, password, name))
  }

  const users = [
    ['admin', keep('topics/KAFKA_PASSWORD', key)],
    ...databases.map(name => [name, keep(`${name}/KAFKA_PASSWORD`, key)]),
  ]
  // arguments of kafka-storage format, which reads them with @FILE: so no password is in a list of processes
  const login = ([name, password]: string[]) =>
    `--add-scram\nSCRAM-SHA-512=[name=${name},password=${password}]\n`
  keep('kafka/USERS', () => users.map(login).join(''))

  const clientSecretKeys = keep('clients/CLIENT_SECRET_KEYS', key)
  for (const name of ['consent', 'token']) keep(`${name}/CLIENT_SECRET_KEYS`, () => clientSecretKeys)
  const codeKeys = keep('consent/CODE_KEYS', () => `k1:${key()}`)
  keep('token/CODE_KEYS', () => codeKeys)
  keep('token/KEY_ENCRYPTION_KEY', key)
  for (const name of ['consent', 'sample-client']) keep(`${name}/SESSION_KEY`, key)
  keep('operator/CLIENT_SECRET', () => `gls_${key()}`)
  return made
}

const key = () => randomBytes(32).toString('base64url')
