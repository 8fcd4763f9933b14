import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'grantlog')
const fetched = join(cache, 'docker-compose')
const succeeds = (command: string, ...args: string[]) => spawnSync(command, args).status === 0

/** Whether Docker Compose is here or can be fetched, or what is missing, in a sentence. */
export function dockerComposeAvailable(): { ok: true } | { ok: false; reason: string } {
  if (found() !== undefined || (succeeds('apt-get', '--version') && succeeds('dpkg-deb', '--version')))
    return { ok: true }
  return { ok: false, reason: 'Neither Docker Compose is here, nor a Debian that could fetch it.' }
}

/** How Docker Compose is called: the one that is here, or Debian’s, fetched once. */
export async function dockerCompose(): Promise<readonly string[]> {
  const here = found()
  if (here !== undefined) return here
  process.stderr.write('\n  Docker Compose is not here: fetching Debian’s\n')
  await fetchPackage()
  return [fetched]
}

function found(): readonly string[] | undefined {
  if (succeeds('docker', 'compose', 'version')) return ['docker', 'compose']
  return existsSync(fetched) ? [fetched] : undefined
}

/** apt checks the package by Debian’s signature; of this machine’s own packages nothing changes. */
async function fetchPackage(): Promise<void> {
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, '.docker-compose-')) // on the same file system: the rename is atomic
  try {
    for (const folder of ['lists/partial', 'archives/partial'])
      await mkdir(join(aside, folder), { recursive: true })
    const keys = '/usr/share/keyrings/debian-archive-keyring.gpg'
    const source = `deb [signed-by=${keys}] http://deb.debian.org/debian forky main\n`
    await writeFile(join(aside, 'sources'), source)
    const places = { 'Etc::sourcelist': 'sources', 'Etc::sourceparts': 'none', State: '.', Cache: '.' }
    const apt = (...args: string[]) => {
      const options = Object.entries(places).map(([name, at]) => `-oDir::${name}=${join(aside, at)}`)
      return run('apt-get', ['-q', ...options, '-oAPT::Sandbox::User=', ...args], { cwd: aside })
    }
    await apt('update')
    await apt('download', 'docker-compose')
    await run('sh', ['-c', 'dpkg-deb --extract docker-compose_*.deb package'], { cwd: aside })
    const program = join(aside, 'package/usr/libexec/docker/cli-plugins/docker-compose')
    await cp(program, join(aside, 'program'))
    await rename(join(aside, 'program'), fetched)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
