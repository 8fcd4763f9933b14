import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEventTables } from '@grantlog/eventing'
import { type TestDatabase, testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'

const main = join(import.meta.dirname, '../dist/main.js')
/** Where no npm start runs, nor above it. */
const elsewhere = mkdtempSync(join(tmpdir(), 'grantlog-cli-'))
afterAll(() => rmSync(elsewhere, { recursive: true }))

async function grantlog(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { cwd: elsewhere, env: { PATH: process.env.PATH } })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString()
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  return { code, out, err }
}

describe('grantlog, called wrongly', () => {
  it.each([
    [['nothing'], '“nothing” is no command of grantlog.'],
    [['clients'], '“clients” is no command of grantlog.'],
    [['log', '--servise', 'token'], '--servise'],
    [['log', 'token'], 'token'],
    [['log', '--service', 'tokens'], '--service must be one of'],
    [['log', '--after', '1'], '--after needs one --service'],
    [['log', '--service', 'token', '--service', 'consent', '--after', '1'], '--after needs one --service'],
    [['log', '--database', 'postgres://x'], '--database needs one --service'],
    [['log', '--service', 'token', '--database', 'x', '--limit', '-1'], '--limit'],
    [['log', '--service', 'token', '--database', 'x', '--limit', 'all'], '--limit must be a whole number'],
    [['log'], 'No npm start has run in this folder'],
    [['topics', 'verify'], 'Say where Kafka is, as host:port'],
    [['topics', 'apply', '--brokers', 'kafka'], 'Say where Kafka is, as host:port'],
  ])('%j: exit code 2, a sentence, and how it is called', async (args, sentence) => {
    const { code, out, err } = await grantlog(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const [first = ''] = err.split('\n\n')
    expect(first).toMatch(/^grantlog: /)
    expect(first).toContain(sentence)
    expect(err).toMatch(/grantlog (COMMAND|log|topics)/)
    expect(err).not.toMatch(/^\s+at /m)
  })

  it('without a command says what there is, with exit code 2; asked for help, with 0', async () => {
    const [bare, help] = await Promise.all([grantlog(), grantlog('help')])
    expect([bare.code, help.code]).toEqual([2, 0])
    expect(bare.out).toBe(help.out)
    for (const name of ['log', 'clients bootstrap', 'topics apply', 'topics verify']) {
      expect(help.out).toContain(`grantlog ${name}`)
    }
  })

  it('a database that does not answer is no mistake of the call: exit code 1, without its password', async () => {
    const url = 'postgres://ada:the-password@127.0.0.1:9/token'
    const { code, err } = await grantlog('log', '--service', 'token', '--database', url)
    expect(code).toBe(1)
    expect(err).toContain('The log of token can not be read from 127.0.0.1:9/token')
    expect(err).not.toContain('the-password')
  })
})

describe('grantlog log, with a database', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase('cli')
  })
  afterAll(() => database?.drop())

  it('says so where the database is not one of Grantlog, and prints nothing of an empty log', async () => {
    const args = ['log', '--service', 'token', '--database', database.url]
    const foreign = await grantlog(...args)
    expect({ code: foreign.code, out: foreign.out }).toEqual({ code: 1, out: '' })
    expect(foreign.err).toContain('The log of token can not be read')

    const db = new pg.Client({ connectionString: database.url })
    await db.connect()
    await db.query(createEventTables).finally(() => db.end())
    for (const more of [[], ['--json'], ['--after', '0'], ['--limit', '5']]) {
      expect(await grantlog(...args, ...more)).toEqual({ code: 0, out: '', err: '' })
    }
  })
})
