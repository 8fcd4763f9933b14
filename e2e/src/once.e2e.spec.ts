import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@grantlog/servers'
import { describeWithKafka } from '@grantlog/testing'
import { afterAll, describe, expect, it } from '@jest/globals'

const root = join(import.meta.dirname, '../..')

/** Runs the launcher as `npm start` does once everything is built. */
async function launch(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(root, 'apps/launcher/dist/main.js'), ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', data => {
    stdout += data
  })
  child.stderr.on('data', data => {
    stderr += data
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  return { code, stdout, stderr }
}

/** Everybody may enter it: as root, Postgres runs as another user. */
function anEmptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'once-'))
  chmodSync(folder, 0o755)
  return folder
}

const names = [
  'asked',
  'signed in',
  'approved',
  'code',
  'token',
  'invoice read',
  'write refused',
  'revoked',
  'denied',
  'the log',
]

function once(transport: 'embedded' | 'kafka', ...more: string[]) {
  it('proves itself, says so in one line of JSON, and leaves nothing behind', async () => {
    const temporary = anEmptyFolder()
    const { code, stdout } = await launch(
      ['--once', '--json', ...(transport === 'kafka' ? ['--kafka'] : []), ...more],
      { TMPDIR: temporary },
    )
    const said = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    expect(said).toEqual({
      ok: true,
      steps: names.map(name => ({ name, ok: true, ms: expect.any(Number) })),
      revokedToDeniedMs: expect.any(Number),
      transport,
    })
    expect(code).toBe(0)
    expect(stdout).toContain('403 insufficient_scope')
    expect(stdout).toMatch(/consent\s+\d+ {2}grant\.approved/)
    expect(stdout).toMatch(/consent\s+\d+ {2}token\.revoked/)
    expect(readdirSync(temporary)).toEqual([])
  })
}

describe('--once', () => once('embedded'))
describeWithKafka('--kafka --once --instances 2', () => once('kafka', '--instances', '2'))

describe('started again and again on the same data', () => {
  const data = anEmptyFolder()
  let portBase: string | undefined
  const children: ChildProcess[] = []
  const demo = () => readFileSync(join(data, 'embedded/demo.json'), 'utf8')
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  })

  /** Starts with ports of its own; `up` resolves with what it had said when it told what to open. */
  async function start(...more: string[]) {
    // the four after a free one are free as a rule; a launcher that finds them taken says so and fails the test
    portBase ??= String(await freePort())
    const child = spawn(
      process.execPath,
      [join(root, 'apps/launcher/dist/main.js'), '--data', data, '--port-base', portBase, ...more],
      { cwd: root, env: { ...process.env, NO_COLOR: '1' } },
    )
    children.push(child)
    let said = ''
    const ended = new Promise<number | null>(resolve => child.once('close', resolve))
    const up = new Promise<string>((resolve, reject) => {
      const hear = (words: Buffer) => {
        said += words.toString()
        if (said.includes('Ctrl-C stops everything.')) resolve(said)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('close', () => reject(new Error(said)))
    })
    up.catch(() => undefined) // asked for below, or not at all
    return { child, up, ended, url: (service: number) => `http://localhost:${Number(portBase) + service}` }
  }

  it('tells what to open, refuses a second one, stops cleanly, keeps the data, and begins anew when asked', async () => {
    const first = await start()
    const said = await first.up
    expect(said).toContain('✓ proved')
    expect(said).toContain(`${first.url(3)}/.well-known/oauth-authorization-server`)
    expect(said).toContain('ada@example.com')
    expect((await fetch(`${first.url(0)}/`)).status).toBe(200)
    const made = demo()

    const second = await start()
    await expect(second.up).rejects.toThrow(/runs on .* already \(process \d+\): stop that one first/)
    expect((await fetch(`${first.url(3)}/jwks`)).status).toBe(200)

    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)
    await expect(fetch(`${first.url(3)}/jwks`)).rejects.toThrow()
    expect(existsSync(join(data, 'embedded/postgres/postmaster.pid'))).toBe(false)

    const again = await start()
    expect(await again.up).toContain('✓ proved')
    expect(demo()).toBe(made)
    again.child.kill('SIGTERM')
    await again.ended

    const elsewhere = await start('--port-base', '7777')
    await expect(elsewhere.up).rejects.toThrow(/made for the ports from \d+: start with --port-base \d+/)

    const anew = await start('--fresh')
    expect(await anew.up).toContain('✓ proved')
    expect(demo()).not.toBe(made)
    anew.child.kill('SIGINT')
    await anew.ended
  })

  it('what kill -9 of the launcher leaves behind is found and ended by the next start', async () => {
    const killed = await start()
    await killed.up
    killed.child.kill('SIGKILL')
    await killed.ended
    const next = await start()
    expect(await next.up).toContain('✓ proved')
    next.child.kill('SIGINT')
    expect(await next.ended).toBe(0)
  })
})

describe('a mistake on the command line', () => {
  it.each([
    ['an option that does not exist', ['--onec'], '--onec'],
    ['--json alone', ['--json'], '--json only goes with --once.'],
    ['a port that is none', ['--port-base', 'x'], '--port-base must be a number'],
    ['no number of instances', ['--instances', '0'], '--instances must be a number from 1 to 8, not “0”'],
    ['ports that would not be used', ['--once', '--port-base', '5000'], '--once uses free ports'],
    ['data that would not be kept', ['--once', '--data', 'x'], '--once keeps no data'],
    ['two that contradict', ['--dev', '--once'], 'contradict'],
  ])('%s: one sentence, the usage, exit code 2', async (_, args, sentence) => {
    const { code, stderr, stdout } = await launch(args)
    expect(code).toBe(2)
    expect(stderr).toContain(sentence)
    expect(stderr).toContain('Usage: npm start --')
    expect(stdout).not.toContain('Postgres')
  })

  it('a broker that is not there is told within a minute, and nothing stays behind', async () => {
    const temporary = anEmptyFolder()
    const { code, stderr, stdout } = await launch(['--once', '--kafka', '--json'], {
      KAFKA_BROKERS: '127.0.0.1:1',
      TMPDIR: temporary,
    })
    expect(code).toBe(1)
    expect(stderr).toContain('127.0.0.1:1')
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      ok: false,
      steps: [],
      revokedToDeniedMs: null,
      transport: 'kafka',
    })
    expect(readdirSync(temporary)).toEqual([])
  })
})
