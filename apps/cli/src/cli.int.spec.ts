import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEventTables, eventTables } from '@grantlog/eventing'
import { describeWithKafka, eventually, type TestDatabase, testDatabase, testKafka } from '@grantlog/testing'
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
    [['topics', 'rebuild'], 'Name one topic, clients, grants,'],
    [['topics', 'rebuild', 'nothing'], 'not “nothing”'],
    [['topics', 'rebuild', 'clients', 'keys'], 'not “clients keys”'],
    [['topics', 'rebuild', 'clients'], 'Say where the log of clients is: --database clients='],
    [
      ['topics', 'rebuild', 'revocations', '--database', 'clients=postgres://x'],
      'Say where the log of consent is',
    ],
    [
      ['topics', 'rebuild', 'clients', '--database', 'postgres://x'],
      '--database must be SERVICE=postgres://',
    ],
    [['topics', 'rebuild', 'clients', '--database', 'clients=postgres://x'], 'Say where Kafka is'],
    [['segments'], '“segments” is no command of grantlog.'],
    [['segments', 'list'], 'Say whose log it is, with --service'],
    [['segments', 'list', '--service', 'token'], 'Say where the log of token is'],
    [['segments', 'detach', '--service', 'token'], 'Say where the files are, with --to'],
    [
      ['segments', 'detach', '--service', 'token', '--to', 'x', '--older-than', '0'],
      '--older-than must be a whole number of days, 1 or more',
    ],
    [['segments', 'attach', '--service', 'token'], 'Say where the files are, with --from'],
    [
      ['segments', 'attach', '--service', 'token', '--from', 'x', '--database', 'x'],
      '--database must be postgres://',
    ],
    [['keys'], '“keys” is no command of grantlog.'],
    [['keys', 'list', 'all'], '“all” is no option.'],
    [['keys', 'compromise'], 'Name one key.'],
    [['keys', 'compromise', 'a', 'b'], 'Name one key.'],
    [['keys', 'rotate', '--algorithm', 'ES256'], '--algorithm'],
    [
      ['revoke'],
      'Name one target: one of --owner, --organization, --grant, --client, --family, --token, --key.',
    ],
    [['revoke', '--owner', 'a', '--grant', 'b', '--reason', 'x'], 'Name one target'],
    [['revoke', '--owner', 'a'], '--reason is missing'],
    [['revoke', '--owner', 'a', '--reason', ' '], '--reason is missing'],
    [['revoke', '--owner', 'a', '--reason', 'x'], 'Say where the platform is, with --issuer URL'],
    [['revoke', '--owner', 'a', '--reason', 'x', '--issuer', 'auth'], '“auth” is no URL of a service'],
    [['revoke', '--owner', 'a', '--reason', 'x', '--issuer', 'http://127.0.0.1:9'], '--operator-secret FILE'],
    [['doctor'], 'no npm start has run in this folder'],
    [['doctor', '--service', 'tokens'], '--service must be one of'],
    [['doctor', '--service', 'token', '--database', 'consent=postgres://x'], 'Say where the log of token is'],
  ])('%j: exit code 2, a sentence, and how it is called', async (args, sentence) => {
    const { code, out, err } = await grantlog(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const [first = ''] = err.split('\n\n')
    expect(first).toMatch(/^grantlog: /)
    expect(first).toContain(sentence)
    expect(err).toMatch(/grantlog (COMMAND|log|topics|doctor|segments|keys|revoke)/)
    expect(err).not.toMatch(/^\s+at /m)
  })

  it('without a command says what there is, with exit code 2; asked for help, with 0', async () => {
    const [bare, help] = await Promise.all([grantlog(), grantlog('help')])
    expect([bare.code, help.code]).toEqual([2, 0])
    expect(bare.out).toBe(help.out)
    for (const name of [
      'log',
      'clients bootstrap',
      'keys list',
      'keys compromise',
      'keys rotate',
      'revoke',
      'topics apply',
      'topics verify',
      'topics rebuild',
      'doctor',
    ]) {
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

describe('grantlog segments, with a database', () => {
  let log: TestDatabase
  beforeAll(async () => {
    log = await testDatabase('cli_segments')
    const db = new pg.Client({ connectionString: log.url })
    await db.connect()
    await db.query(eventTables(2))
    for (const [number, age] of [
      [1, 500],
      [2, 490],
      [3, 480],
      [4, 450],
      [5, 1],
    ])
      await db.query(
        `insert into streams (stream_id, base, version, state, state_tag, ends_at) values ('client-${number}', 0, 1, '{}', '', 1);
         update log_end set last_seq = ${number}; select add_segments();
         insert into events (log_seq, stream_id, stream_version, event_id, type, data, actor_type, actor_id, time)
         values (${number}, 'client-${number}', 1, gen_random_uuid(), 'client.suspended.v1',
           '{"clientId":"${number}","reason":"spec"}', 'operator', 'spec', now() - interval '${age} days')`,
      )
    await db.end()
  })
  afterAll(() => log.drop())
  const segments = (command: string, ...args: string[]) =>
    grantlog('segments', command, '--service', 'clients', '--database', log.url, ...args)

  it('detaches what is old enough, lists it, and brings it back', async () => {
    const folder = join(elsewhere, 'segments')
    const [first, second] = ['clients-1-2.jsonl.gz', 'clients-3-4.jsonl.gz']
    expect(await segments('detach', '--to', folder, '--older-than', '600')).toMatchObject({
      code: 1,
      err: expect.stringContaining('Segment 1 stays: its newest event is of'),
    })
    expect(await segments('detach', '--to', folder)).toMatchObject({
      code: 0,
      out: `detached ${join(folder, first)}\ndetached ${join(folder, second)}\nSegment 3 is still written to: one is detached when all of its numbers are taken.\n`,
    })
    const list = `     1  in ${first}\n     2  in ${second}\n     3  in the database\n     4  in the database\n`
    expect(await segments('list')).toMatchObject({ code: 0, out: list })
    expect(JSON.parse((await segments('list', '--json')).out)).toHaveLength(4)
    const printed = await grantlog('log', '--service', 'clients', '--database', log.url)
    expect(printed.out.trim().split('\n')).toEqual([expect.stringContaining('client-5')])
    const gone = await grantlog('log', '--service', 'clients', '--database', log.url, '--after', '0')
    expect(gone).toMatchObject({ code: 1, err: expect.stringContaining('grantlog segments attach') })
    expect(await segments('attach', '--from', folder, '--all')).toMatchObject({
      code: 0,
      out: 'attached 3 to 4\nattached 1 to 2\nNo segment of clients is detached.\n',
    })
    const all = await grantlog('log', '--service', 'clients', '--database', log.url, '--after', '0')
    expect(all.out.trim().split('\n')).toHaveLength(5)
    const doctor = await grantlog('doctor', '--service', 'clients', '--database', log.url)
    expect(doctor.out).toContain('the log runs from 1 to 5 without a gap')
  })
})

describe('grantlog doctor, with a database', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase('cli-doctor')
    await inDatabase(createEventTables)
  })
  afterAll(() => database?.drop())

  async function inDatabase(statement: string): Promise<void> {
    const db = new pg.Client({ connectionString: database.url })
    await db.connect()
    await db.query(statement).finally(() => db.end())
  }

  it('says that nothing is wrong with exit code 0, what is with 1, and repairs what it can', async () => {
    const args = ['doctor', '--service', 'token', '--database', database.url]
    const well = await grantlog(...args)
    expect(well).toMatchObject({ code: 0, err: '', out: expect.not.stringMatching(/^(warning|error)/m) })
    expect(well.out).toMatch(/\n\nNothing is wrong\.\n$/)
    // the service’s own program was asked too
    expect(well.out).toContain('ok       token    the states of 0 streams are what a replay gives')

    await inDatabase(`update log_end set xid = '18446744073709'`)
    const ill = await grantlog(...args)
    expect(ill.code).toBe(1)
    expect(ill.out).toContain('the log was restored from another cluster')
    expect(ill.out).toMatch(/→ .*grantlog doctor --repair/)

    const repaired = await grantlog(...args, '--repair', '--json')
    expect(repaired.code).toBe(0)
    expect(JSON.parse(repaired.out)).toEqual({
      findings: expect.arrayContaining([expect.objectContaining({ check: 'folded-states', ok: true })]),
      repaired: ['token: its log is one of this cluster now.'],
    })
    expect(`${ill.out}${repaired.out}`).not.toContain(new URL(database.url).password)
  })

  it('reports a database that does not answer, without its password, and looks at the others', async () => {
    const { code, out } = await grantlog(
      'doctor',
      '--json',
      '--database',
      'clients=postgres://ada:the-password@127.0.0.1:9/clients',
      '--database',
      `token=${database.url}`,
    )
    const { findings } = JSON.parse(out) as { findings: { check: string; service: string; ok: boolean }[] }
    expect(code).toBe(1)
    expect(findings.filter(({ ok }) => !ok)).toEqual([
      expect.objectContaining({ check: 'database', service: 'clients', severity: 'error' }),
    ])
    expect(findings.filter(({ service }) => service === 'token').length).toBeGreaterThan(8)
    expect(out).not.toContain('the-password')
  })
})

describeWithKafka('grantlog topics rebuild', () => {
  const whereOf = (database: TestDatabase, kafka: Awaited<ReturnType<typeof testKafka>>) => {
    const brokers = kafka.brokers.join(',')
    return ['--database', `clients=${database.url}`, '--brokers', brokers, '--prefix', kafka.topicPrefix]
  }

  it('creates what is missing, and doctor finds it as it is stored', async () => {
    const [database, kafka] = [await testDatabase('cli-rebuild'), await testKafka()]
    const db = new pg.Client({ connectionString: database.url })
    await db.connect()
    await db.query(createEventTables).finally(() => db.end())
    const where = whereOf(database, kafka)
    expect((await grantlog('doctor', ...where)).code).toBe(1)
    expect(await grantlog('topics', 'rebuild', 'clients', ...where)).toEqual({
      code: 0,
      out: 'grantlog.clients.v1 holds 0 events, as clients stored them\n',
      err: '',
    })
    const { out } = await grantlog('doctor', ...where)
    expect(out).toContain('grantlog.clients.v1 holds 0 events, byte for byte as they are stored')
    await database.drop()
  })
  it('whose process is killed leaves nothing behind, and the next one does it', async () => {
    const [database, kafka] = [await testDatabase('cli-killed'), await testKafka()]
    const db = new pg.Client({ connectionString: database.url })
    await db.connect()
    await db.query(createEventTables)
    await db.query(`
      insert into events (log_seq, stream_id, stream_version, event_id, type, data, actor_type, actor_id, time)
      select n, 'client-' || n, 1, gen_random_uuid(), 'client.suspended.v1', json_build_object('clientId', n::text, 'reason', 'spec'),
        'operator', 'spec', now() from generate_series(1, 50000) n;
      insert into streams (stream_id, base, version, state, state_tag) select stream_id, 0, 1, '{}', '' from events;
      update log_end set last_seq = 50000;
      update publisher set cursor = 50000`)
    const where = whereOf(database, kafka)
    const killed = spawn(process.execPath, [main, 'topics', 'rebuild', 'clients', ...where], {
      cwd: elsewhere,
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
    })
    const ended = new Promise(resolve => killed.once('close', (_, signal) => resolve(signal)))
    const atWork = `select from pg_stat_activity where datname = current_database() and query like '%from events e%'`
    await eventually(async () => expect((await db.query(atWork)).rowCount).toBe(1))
    killed.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    const ill = await grantlog('doctor', ...where)
    expect(ill.out).toMatch(/of 50000 published events|is missing/)
    expect(await grantlog('topics', 'rebuild', 'clients', ...where)).toMatchObject({
      code: 0,
      out: 'grantlog.clients.v1 holds 50000 events, as clients stored them\n',
    })
    expect((await grantlog('doctor', ...where)).out).toContain(
      'grantlog.clients.v1 holds 50000 events, byte for byte',
    )
    await db.end()
    await database.drop()
  })
})
