import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

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

  it('plays the feed, and says of a consumer that ends at once that it did', async () => {
    const failed = await feedCheck('--http', '0', '--json', '--', 'false').catch(
      (error: { code: number; stdout: string }) => error,
    )
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.stdout).toMatch(/"outcome": "failed",\s+"because": "It ended before it was ready/)
  })
})
