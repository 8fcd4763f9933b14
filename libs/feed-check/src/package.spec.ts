import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

/** Says that it is ready, and hears nothing. */
const deaf = `
console.log(JSON.stringify({ state: 'ready' }))
setInterval(() => undefined, 1000)
`

describe('the program, installed from its tarballs into an empty folder', () => {
  let folder: string
  const packed: Record<string, string[]> = {}
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'grantlog-feed-check-'))
    await mkdir(join(folder, 'node_modules/@grantlog'), { recursive: true })
    for (const name of ['contracts', 'eventing', 'feed-check']) await install(name)
    // what others wrote would come from the registry; the Node that the project pins would not
    const theirs = (await readdir(join(root, 'node_modules'))).filter(
      name => !/^(\.|@grantlog$|node$)/.test(name),
    )
    await Promise.all(
      theirs.map(name => symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))),
    )
    await writeFile(join(folder, 'deaf.mjs'), deaf)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function install(name: string): Promise<void> {
    const options = ['--json', '--ignore-scripts', '--pack-destination', folder]
    const { stdout } = await run('npm', ['pack', ...options], { cwd: join(root, 'libs', name) })
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
    packed[name] = files.map(({ path }) => path)
    const place = join(folder, 'node_modules/@grantlog', name)
    await mkdir(place)
    await run('tar', ['-xzf', join(folder, filename), '--strip-components', '1', '-C', place])
  }

  const feedCheck = (...args: string[]) =>
    run(process.execPath, [join(folder, 'node_modules/@grantlog/feed-check/bin/feed-check.mjs'), ...args], {
      cwd: folder,
    })

  it('holds what runs, its sources and its licence, and no tests', () => {
    expect(Object.keys(packed)).toHaveLength(3)
    for (const files of Object.values(packed)) {
      expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
      expect(files.filter(file => /\.spec\.|tsbuildinfo|src\/specs/.test(file))).toEqual([])
    }
  })

  it('checks a consumer, and says what it does wrong', async () => {
    const options = ['--http', '0', '--within', '2', '--stale-after', '2', '--json']
    const failed = await feedCheck(...options, '--', process.execPath, 'deaf.mjs').catch(
      (error: { code: number; stdout: string }) => error,
    )
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.stdout).toMatch(/"failed"/)
  })
})
