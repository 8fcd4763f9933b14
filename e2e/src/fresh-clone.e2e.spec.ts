import { execFile, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '@grantlog/servers'
import { eventually } from '@grantlog/testing'
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
    const made = new Set([
      '.git',
      'node_modules',
      'compiled',
      'dist',
      '.turbo',
      '.grantlog',
      'test-artefacts',
    ])
    await cp(root, clone, { recursive: true, filter: path => !made.has(basename(path)) })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Starts on a machine that differs in one thing: `difference` runs before the first line of ours. */
  const startWhere = (difference: string) =>
    promisify(execFile)(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(difference)}`,
        'apps/launcher/bootstrap/start.mjs',
      ],
      { cwd: clone, env: newcomersEnvironment() },
    )

  it('on an old Node says which one it needs', async () => {
    const versions = { ...process.versions, node: '18.20.8' }
    await expect(
      startWhere(`Object.defineProperty(process, 'versions', { value: ${JSON.stringify(versions)} })`),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/✗ Grantlog needs Node 20 or newer .*: this is Node 18\.20\.8\./),
    })
  })

  it('on a full disk says how much room it needs, before it downloads anything', async () => {
    await expect(
      startWhere(`
        import fs from 'node:fs'
        import { syncBuiltinESMExports } from 'node:module'
        fs.statfsSync = () => ({ bavail: 10_000, bsize: 4096 })
        syncBuiltinESMExports()`),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/✗ There are 41 MB free on this disk; .* need about 1500 MB\. Make room/),
    })
  })

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

  it(
    'npm run dev rebuilds what changes, and starts the services again that use it',
    async () => {
      const [base = 0] = await freePorts(8)
      const dev = spawn('npm', ['run', 'dev', '--', '--port-base', String(base)], {
        cwd: clone,
        env: { ...newcomersEnvironment(), npm_config_cache: join(folder, 'npm-cache') },
        detached: true,
      })
      let said = ''
      for (const stream of [dev.stdout, dev.stderr]) stream.on('data', words => (said += words))
      const ended = new Promise(resolve => dev.once('close', resolve))
      const change = async (path: string, from: string, to: string) => {
        const text = await readFile(join(clone, path), 'utf8')
        expect(text).toContain(from)
        await writeFile(join(clone, path), text.replace(from, to))
      }
      const api = `http://localhost:${base + 4}`
      const untilTold = (path: string, words: string) =>
        eventually(
          async () => {
            const answer = await fetch(`${api}${path}`, { headers: { accept: 'text/html' } })
            expect(await answer.text()).toContain(words)
          },
          { timeout: 3 * minutes },
        )
      try {
        await eventually(() => expect(said).toContain('Ctrl-C stops everything.'), { timeout: 2 * minutes })
        await change('libs/ui/src/page.ts', 'Every decision is an event.', 'Changed in a library.')
        await untilTold('/status', 'Changed in a library.')
        const controller = 'apps/resource/src/http/metadata.controller.ts'
        await change(controller, "'Invoices, the sample API'", '1')
        await eventually(() => expect(said).toMatch(/metadata\.controller\.ts.*error TS\d+/), {
          timeout: 3 * minutes,
        })
        await change(controller, 'resource_name: 1', "resource_name: 'Mended'")
        await untilTold('/.well-known/oauth-protected-resource/invoices', '"resource_name":"Mended"')
      } finally {
        if (dev.pid) process.kill(-dev.pid, 'SIGINT') // Ctrl-C reaches every process of a terminal
      }
      await ended
      await expect(fetch(api)).rejects.toThrow()
    },
    10 * minutes,
  )
})
