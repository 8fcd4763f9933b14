import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wantedAccess } from '@grantlog/eventing'
import { certificates, describeWithKafka, ownKafka, server } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const main = join(import.meta.dirname, '../dist/main.js')
const elsewhere = mkdtempSync(join(tmpdir(), 'grantlog-acls-'))
afterAll(() => rmSync(elsewhere, { recursive: true }))

async function grantlog(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: elsewhere,
    env: { PATH: process.env.PATH, ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString()
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  return { code, out, err }
}

function file(name: string, content: string): string {
  const path = join(elsewhere, name)
  writeFileSync(path, content)
  return path
}

describe('grantlog acls list', () => {
  it('says what each service needs, also as JSON, and asks nobody', async () => {
    const { code, out } = await grantlog(['acls', 'list', '--prefix', 'a.'])
    expect({ code, out }).toMatchInlineSnapshot(`
{
  "code": 0,
  "out": "clients  write topic a.grantlog.clients.v1
clients  read  topic a.grantlog.keys.v1
clients  read  topic a.grantlog.revocations.v1
clients  write topic a.grantlog.revocations.v1
clients  read  group a.grantlog-clients.*
consent  read  topic a.grantlog.clients.v1
consent  write topic a.grantlog.grants.v1
consent  write topic a.grantlog.organizations.v1
consent  read  topic a.grantlog.tokens.v1
consent  read  topic a.grantlog.keys.v1
consent  read  topic a.grantlog.revocations.v1
consent  write topic a.grantlog.revocations.v1
consent  read  group a.grantlog-consent.*
token    read  topic a.grantlog.clients.v1
token    read  topic a.grantlog.grants.v1
token    write topic a.grantlog.tokens.v1
token    write topic a.grantlog.keys.v1
token    read  topic a.grantlog.revocations.v1
token    write topic a.grantlog.revocations.v1
token    read  group a.grantlog-token.*
resource read  topic a.grantlog.revocations.v1
resource read  group a.grantlog-resource.*
",
}
`)
    const json = await grantlog(['acls', 'list', '--json'])
    expect(JSON.parse(json.out)).toEqual(wantedAccess())
  })
})

describeWithKafka('grantlog on a Kafka with TLS, logins and ACLs', () => {
  let kafka: Awaited<ReturnType<typeof ownKafka>>
  let good: NodeJS.ProcessEnv
  beforeAll(async () => {
    kafka = await ownKafka({ users: ['token'], tls: server })
    good = {
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TLS: 'on',
      KAFKA_CA_CERTIFICATES_FILE: file('ca.pem', server.certificate),
      KAFKA_USERNAME: 'admin',
      KAFKA_PASSWORD_FILE: file('password', `${kafka.passwords.admin}\n`),
    }
  })
  afterAll(() => kafka?.stop())

  it('creates the topics and allows what is wanted, once', async () => {
    expect((await grantlog(['topics', 'apply'], good)).code).toBe(0)
    const first = await grantlog(['acls', 'apply'], good)
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out.trim().split('\n')).toHaveLength(wantedAccess().length)
    expect(await grantlog(['acls', 'apply'], good)).toEqual({
      code: 0,
      out: 'nothing was missing\n',
      err: '',
    })
  })

  it('says what a service’s user may do besides', async () => {
    // as of a deployment that had granted more: another prefix’s rights are besides those of none
    expect((await grantlog(['acls', 'apply', '--prefix', 'old.'], good)).code).toBe(0)
    const { code, err } = await grantlog(['acls', 'apply'], good)
    expect(code).toBe(1)
    expect(err).toContain('also allowed: User:token from *: write topic old.grantlog.tokens.v1')
    expect(err).toContain('also allowed: User:token from *: read group old.grantlog-token.*')
  })

  it.each([
    ['a wrong password', { KAFKA_PASSWORD_FILE: undefined, KAFKA_PASSWORD: 'the-password' }],
    [
      'a certificate of another authority',
      { KAFKA_CA_CERTIFICATES_FILE: undefined, KAFKA_CA_CERTIFICATES: certificates.authority },
    ],
    [
      'a user without the right',
      {
        KAFKA_PASSWORD_FILE: undefined,
        KAFKA_USERNAME: 'token',
        get KAFKA_PASSWORD() {
          return kafka.passwords.token
        },
      },
    ],
  ])('%s ends it in a sentence', async (_, change) => {
    const { code, out, err } = await grantlog(['acls', 'apply'], { ...good, ...change })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^grantlog: .+\n$/)
    expect(err).not.toContain('the-password')
  })

  it.each([
    [{ KAFKA_PASSWORD_FILE: undefined }, 'Set both KAFKA_USERNAME and KAFKA_PASSWORD'],
    [{ KAFKA_PASSWORD_FILE: '/nowhere' }, '/nowhere can not be read (ENOENT)'],
    [{ KAFKA_PASSWORD: 'x' }, 'KAFKA_PASSWORD is set twice'],
    [{ KAFKA_TLS: 'off' }, 'Set KAFKA_TLS=on'],
    [{ KAFKA_SASL_MECHANISM: 'md5' }, 'KAFKA_SASL_MECHANISM must be one of'],
  ])('%j: exit code 2, and a sentence', async (change, sentence) => {
    const { code, err } = await grantlog(['topics', 'verify'], { ...good, ...change })
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })
})
