import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const root = join(import.meta.dirname, '../..')
const minutes = 60_000

/** This one without what the run of these tests put there. */
function newcomersEnvironment(): NodeJS.ProcessEnv {
  const ofThisRun = /^(npm_(?!config_registry$)|JEST_|GRANTLOG_|NODE_ENV$|INIT_CWD$)/
  const rest = Object.entries(process.env).filter(([name]) => !ofThisRun.test(name))
  const path = (process.env.PATH ?? '').split(delimiter).filter(entry => !entry.includes('node_modules'))
  return { ...Object.fromEntries(rest), PATH: path.join(delimiter) }
}

/** What a newcomer has: the files, and nothing that was ever installed, built or downloaded. */
describe('a fresh clone with an empty npm cache', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fresh-clone-'))
  const clone = join(folder, 'grantlog')
  chmodSync(folder, 0o755) // as root, Postgres runs as another user

  const npm = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)('npm', [...args], {
      cwd: clone,
      maxBuffer: 1e8,
      env: { ...newcomersEnvironment(), npm_config_cache: join(folder, 'npm-cache'), ...env },
    })

  beforeAll(async () => {
    const made = new Set(['.git', 'node_modules', 'dist', '.turbo', '.grantlog', 'test-artefacts'])
    await cp(root, clone, { recursive: true, filter: path => !made.has(basename(path)) })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('without a network says so, and what to look at', async () => {
    const nowhere = { npm_config_registry: 'http://127.0.0.1:1', npm_config_fetch_retries: '0' }
    await expect(npm(['start'], nowhere)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/✗ npm could not install the dependencies: is there a network/),
    })
  })

  it(
    'npm start installs, builds, starts and proves everything',
    async () => {
      const { stdout } = await npm(['start', '--', '--once', '--json'])
      expect(stdout).toMatch(/✓ dependencies/)
      expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ ok: true })
    },
    10 * minutes,
  )

  // all of them would run this one too
  it(
    'npm test needs nothing more, and its last line counts',
    async () => {
      const { stdout } = await npm(['test', '--', 'libs/oauth/src/pkce', 'libs/eventing/src/event-store'])
      expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped$/)
    },
    10 * minutes,
  )
})
