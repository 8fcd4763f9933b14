import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownPostgres } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'

const program = (name: string) => join(import.meta.dirname, `../../${name}/dist/main.js`)
const folder = mkdtempSync(join(tmpdir(), 'grantlog-db-'))
let postgres: Awaited<ReturnType<typeof ownPostgres>>
beforeAll(async () => {
  postgres = await ownPostgres()
})
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})

async function run(main: string, args: string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      said += data.toString()
    })
  const code = await new Promise(resolve => child.once('close', resolve))
  return { code, said }
}

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function prepare(password: string, ...args: string[]) {
  const files = [
    '--owner-password',
    file('owner', 'the-owner’s\n'),
    '--password',
    file('service', `${password}\n`),
  ]
  return run(program('cli'), ['db', 'prepare', ...args, ...files], {
    ADMIN_DATABASE_URL_FILE: file('admin', postgres.url),
  })
}

/** The URL of the database as a role. */
function as(username: string, password: string, database = 'token'): string {
  return Object.assign(new URL(postgres.url), { username, password, pathname: `/${database}` }).href
}

async function ask(url: string, statement = 'select current_user as user'): Promise<unknown> {
  const db = new pg.Client({ connectionString: url })
  try {
    await db.connect()
    return (await db.query(statement)).rows[0]
  } finally {
    await db.end()
  }
}

const migrate = (env: NodeJS.ProcessEnv) => run(program('token'), ['migrate'], env)

describe('grantlog db prepare', () => {
  it('makes a database with an owner and a role that the service runs as, and sets passwords anew', async () => {
    const made = { code: 0, said: 'token: token_owner owns it, the service runs as token\n' }
    expect(await prepare('first', 'token')).toEqual(made)
    expect(await prepare("it's \\ second", 'token')).toEqual(made)
    expect(await ask(as('token_owner', 'the-owner’s'))).toEqual({ user: 'token_owner' })
    // nobody has said yet what it may do
    await expect(ask(as('token', "it's \\ second"))).rejects.toMatchObject({ code: '42501' })
    await expect(ask(as('token', 'first'))).rejects.toMatchObject({ code: '28P01' })
  })

  it('migrations give the role its rights; run by it, they say who has to run them', async () => {
    const [owner, service] = [as('token_owner', 'the-owner’s'), as('token', "it's \\ second")]
    expect(await migrate({ DATABASE_URL: owner, DATABASE_ROLE: 'token' })).toEqual({
      code: 0,
      said: 'ran 1 migrations\n',
    })
    expect(await migrate({ DATABASE_URL: owner, DATABASE_ROLE: 'token' })).toEqual({
      code: 0,
      said: 'the schema was up to date\n',
    })
    expect(await ask(service)).toEqual({ user: 'token' })
    await expect(ask(service, 'delete from events')).rejects.toMatchObject({ code: '42501' })
    expect(await migrate({ DATABASE_URL: service })).toMatchObject({ code: 0 })
    await ask(owner, 'delete from migrations')
    const { code, said } = await migrate({ DATABASE_URL: service })
    expect(code).toBe(1)
    expect(said).toMatch(/^token: The schema is not up to date, and token does not own it: run .+\n$/)
  })

  it('what a role may have had besides is taken from it', async () => {
    await prepare('the-password', 'clients')
    const owner = as('clients_owner', 'the-owner’s', 'clients')
    const clients = (role: string) =>
      run(program('clients'), ['migrate'], { DATABASE_URL: owner, DATABASE_ROLE: role })
    expect((await clients('clients')).code).toBe(0)
    await ask(owner, 'grant all on events, events_1, log_end, segments to clients')
    const service = as('clients', 'the-password', 'clients')
    await ask(service, 'delete from events')
    expect((await clients('clients')).code).toBe(0)
    for (const table of ['events', 'events_1', 'log_end', 'segments'])
      await expect(ask(service, `delete from ${table}`)).rejects.toMatchObject({ code: '42501' })
  })

  it.each([
    [['Token'], 'Name one database'],
    [['a', 'b'], 'Name one database'],
    [[], 'Name one database'],
  ])('%j: exit code 2, and a sentence', async (args, sentence) => {
    const { code, said } = await prepare('x', ...args)
    expect(code).toBe(2)
    expect(said).toContain(sentence)
  })

  it('says which file can not be read, and which variable is missing', async () => {
    const admin = { ADMIN_DATABASE_URL: postgres.url }
    const unread = await run(program('cli'), ['db', 'prepare', 'token', '--password', '/nowhere'], {
      ...admin,
      OWNER_PASSWORD: 'x',
    })
    expect(unread).toMatchObject({
      code: 2,
      said: expect.stringContaining('/nowhere can not be read (ENOENT)'),
    })
    const missing = await run(program('cli'), ['db', 'prepare', 'token'], admin)
    expect(missing).toMatchObject({ code: 2, said: expect.stringContaining('OWNER_PASSWORD is missing') })
  })
})
