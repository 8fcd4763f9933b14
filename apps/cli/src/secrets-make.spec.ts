import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wantedAccess } from '@grantlog/eventing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'

const main = join(import.meta.dirname, '../dist/main.js')
const databases = ['clients', 'consent', 'token', 'resource']

describe('grantlog secrets make', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'grantlog-secrets-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const make = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'secrets', 'make', folder, ...args], { encoding: 'utf8' })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const all = () =>
    new Map(
      globSync('*/**', { cwd: folder })
        .filter(name => statSync(join(folder, name)).isFile())
        .toSorted()
        .map(name => [name, read(name)]),
    )

  it('makes a folder for each who reads, and says only the names', () => {
    const { status, stdout } = make()
    expect(status).toBe(0)
    expect(stdout.trim().split('\n').toSorted()).toEqual([...all().keys()].map(name => `made ${name}`))
    for (const value of all().values()) expect(stdout).not.toContain(value)
  })

  it('lets nobody else read them', () => {
    make()
    for (const name of all().keys())
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o400])
    expect(statSync(join(folder, 'token')).mode & 0o777).toBe(0o700)
  })

  it('replaces none', () => {
    make()
    const before = all()
    expect(make().stdout).toBe('nothing was missing\n')
    expect(all()).toEqual(before)
  })

  it('gives a folder that was lost the same again, where others have its part', () => {
    make()
    const before = all()
    for (const name of ['token/CODE_KEYS', 'consent/CLIENT_SECRET_KEYS', 'token/DATABASE_URL', 'kafka/USERS'])
      rmSync(join(folder, name))
    expect(make().stdout.trim().split('\n')).toHaveLength(4)
    expect(all()).toEqual(before)
  })

  it('has one password per role of Postgres and per user of Kafka', () => {
    make('--postgres', 'db:6432')
    expect(read('databases/ADMIN_DATABASE_URL')).toBe(
      `postgres://postgres:${read('postgres/POSTGRES_PASSWORD')}@db:6432/postgres`,
    )
    for (const name of databases) {
      expect(read(`${name}/DATABASE_URL`)).toBe(
        `postgres://${name}:${read(`databases/${name}/PASSWORD`)}@db:6432/${name}`,
      )
      expect(read(`databases/${name}/OWNER_URL`)).toBe(
        `postgres://${name}_owner:${read(`databases/${name}/OWNER_PASSWORD`)}@db:6432/${name}`,
      )
    }
    const users = [...new Set(wantedAccess().map(({ user }) => user))]
    const passwords = new Map([
      ['admin', read('topics/KAFKA_PASSWORD')],
      ...users.map(user => [user, read(`${user}/KAFKA_PASSWORD`)] as const),
    ])
    expect(read('kafka/USERS').trim().split('\n').toSorted()).toEqual(
      [...passwords]
        .flatMap(([user, password]) => ['--add-scram', `SCRAM-SHA-512=[name=${user},password=${password}]`])
        .toSorted(),
    )
    expect(new Set(passwords.values()).size).toBe(5)
  })

  it('names what is wrong with a call', () => {
    expect(make('elsewhere')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Name one folder.'),
    })
    expect(make('--postgres', 'nowhere')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--postgres must be host:port.'),
    })
  })
})
