import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWithKafka } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'

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

function once(transport: 'embedded' | 'kafka') {
  it('proves itself, says so in one line of JSON, and leaves nothing behind', async () => {
    const temporary = anEmptyFolder()
    const { code, stdout } = await launch(
      ['--once', '--json', ...(transport === 'kafka' ? ['--kafka'] : [])],
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
describeWithKafka('--kafka --once', () => once('kafka'))

describe('a mistake on the command line', () => {
  it.each([
    ['an option that does not exist', ['--onec'], '--onec'],
    ['--json alone', ['--json'], '--json only goes with --once.'],
    ['a port that is none', ['--port-base', 'x'], '--port-base must be a number'],
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
