import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'

const program = 'podman'
/** Where Debian has it, which does not install it together with podman: containers find each other by name with it. */
const netavark = '/usr/lib/podman/netavark'

/** Whether images can be built and run here, or what is missing, in a sentence. */
export function podmanAvailable(): { ok: true } | { ok: false; reason: string } {
  if (process.platform !== 'linux') return { ok: false, reason: 'Images are built and run on Linux.' }
  if (found('podman') || mayInstall()) return { ok: true }
  return { ok: false, reason: 'Building images without a daemon needs podman: apt-get install podman runc.' }
}

/** Installs the packages of Debian whose programs are missing. @throws Error that names them */
export async function ensurePrograms(packages: Readonly<Record<string, string>>): Promise<void> {
  const missing = Object.entries(packages).filter(([program]) => !found(program))
  if (missing.length === 0) return
  const names = [...new Set(missing.map(([, name]) => name))]
  if (!mayInstall()) throw new Error(`Missing here: ${names.join(', ')}. apt-get install ${names.join(' ')}`)
  process.stderr.write(`\n  installing ${names.join(', ')} (images are built by them)\n`)
  await run('apt-get', ['update', '-q'])
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names])
}

/** What lets containers find each other by their names, where this is a Debian that lacks it. */
export async function ensureNames(): Promise<void> {
  if (mayInstall())
    await ensurePrograms({ [netavark]: 'netavark', '/usr/lib/podman/aardvark-dns': 'aardvark-dns' })
}

/** podman, told of what this machine can do; what it does is seen in `folder`. */
export class Podman {
  private constructor(readonly folder: string) {}

  static async open(folder: string): Promise<Podman> {
    await ensurePrograms({ podman: 'podman', runc: 'runc', conmon: 'conmon', iptables: 'iptables' })
    await writeFile(join(folder, 'containers.conf'), settings())
    return new Podman(folder)
  }

  /** Returns what it printed. @throws Error with its last words */
  async run(...args: string[]): Promise<string> {
    return (await run(program, args, this.#environment())).trim()
  }

  /** Serves Docker’s API, for a program that speaks to Docker. Returns its address. */
  serve(): { readonly address: string; stop(): Promise<void> } {
    const address = `unix://${join(this.folder, 'docker.sock')}`
    const server = spawn(program, ['system', 'service', '--time=0', address], {
      env: this.#environment(),
      stdio: 'ignore',
    })
    const ended = once(server, 'exit')
    return {
      address,
      async stop() {
        server.kill()
        await ended
      },
    }
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...process.env, CONTAINERS_CONF: join(this.folder, 'containers.conf') }
  }
}

/** Neither systemd nor the right to raise a limit is needed. */
function settings(): string {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const atMost = (most: number, name: string) =>
    Math.min(most, Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? most))
  const [files, processes] = [atMost(8192, 'Max open files'), atMost(4096, 'Max processes')]
  return `[containers]
default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
${found(netavark) ? '[network]\nnetwork_backend = "netavark"\n' : ''}`
}

async function run(command: string, args: readonly string[], env = process.env): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 1e8,
    })
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(
      `${command} ${args[0]} failed: ${`${stdout}${stderr}`.trim().slice(-3000) || String(error)}`,
    )
  }
}

const found = (program: string) =>
  isAbsolute(program)
    ? existsSync(program)
    : (process.env.PATH ?? '').split(':').some(folder => existsSync(join(folder, program)))
const mayInstall = () => process.getuid?.() === 0 && found('apt-get')
