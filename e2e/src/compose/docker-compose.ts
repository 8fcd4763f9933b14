import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const version = 'v2.39.4'
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'grantlog')
const built = join(cache, `docker-compose-${version}`)
const succeeds = (command: string, ...args: string[]) => spawnSync(command, args).status === 0

/** Whether Docker Compose is here or can be built, or what is missing, in a sentence. */
export function dockerComposeAvailable(): { ok: true } | { ok: false; reason: string } {
  if (found() !== undefined || succeeds('go', 'version')) return { ok: true }
  return { ok: false, reason: 'Neither Docker Compose is here, nor a Go that could build it.' }
}

/** How Docker Compose is called: the one that is here, or one that Go builds, once. */
export async function dockerCompose(): Promise<readonly string[]> {
  const here = found()
  if (here !== undefined) return here
  process.stderr.write(`\n  Docker Compose is not here: Go builds ${version}, once. It takes minutes.\n`)
  await build()
  return [built]
}

function found(): readonly string[] | undefined {
  if (existsSync(built)) return [built]
  return succeeds('docker', 'compose', 'version') ? ['docker', 'compose'] : undefined
}

/** Go checks what it downloads against its public log of checksums. */
async function build(): Promise<void> {
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, '.docker-compose-')) // on the same file system: the rename is atomic
  const go = (...args: string[]) =>
    promisify(execFile)('go', args, { cwd: aside, env: { ...process.env, CGO_ENABLED: '0' }, maxBuffer: 1e8 })
  try {
    await writeFile(join(aside, 'go.mod'), 'module local\n')
    const program = 'github.com/docker/compose/v2/cmd'
    await go('get', `${program}@${version}`)
    await go('build', '-ldflags=-s -w', '-o', 'docker-compose', program)
    await rename(join(aside, 'docker-compose'), built)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
