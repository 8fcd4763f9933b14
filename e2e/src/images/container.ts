import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@grantlog/testing'
import { imageOf, type Target } from './images.js'
import type { Podman } from './podman.js'

export interface Container {
  /** Asks the image’s own HEALTHCHECK. @throws Error while it says no */
  healthy(): Promise<void>
  log(): Promise<string>
  /** SIGTERM. Returns the exit code; after 20 s it is killed, and that is 137. */
  stop(): Promise<number>
  remove(): Promise<void>
}

/** As hardened as a container can be: nothing of its file system is writable, no capability, little memory, few processes. */
const hardened = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--memory=512m',
  '--pids-limit=200',
]

/** Runs a service’s image on this machine’s network, and returns once it says that it is ready. */
export async function startContainer(
  podman: Podman,
  target: Exclude<Target, 'cli'>,
  env: NodeJS.ProcessEnv,
): Promise<Container> {
  const container = await runContainer(podman, target, env)
  try {
    await eventually(() => ready(Number(env.PORT)), { timeout: 60_000 })
    return container
  } catch (error) {
    const words = await container.log()
    await container.remove()
    throw new Error(`${target} did not get ready (${String(error)}). Its last words:\n${words.slice(-2000)}`)
  }
}

/** The same, and returns at once. */
export async function runContainer(
  podman: Podman,
  target: Exclude<Target, 'cli'>,
  env: NodeJS.ProcessEnv,
): Promise<Container> {
  const file = await environmentFile(podman, target, { ...env, HOST: '127.0.0.1' })
  const id = await podman.run(
    ...['run', '--detach', '--network=host', ...hardened, `--env-file=${file}`, imageOf(target)],
  )
  return {
    async healthy() {
      await podman.run('healthcheck', 'run', id)
    },
    log: () => podman.run('logs', id),
    async stop() {
      await podman.run('stop', '--time=20', id)
      return Number(await podman.run('inspect', '--format={{.State.ExitCode}}', id))
    },
    async remove() {
      await podman.run('rm', '--force', '--time=0', id)
    },
  }
}

/** Runs the migrations of a service with its image, to their end. @throws Error with the program’s words */
export async function migrate(
  podman: Podman,
  target: Exclude<Target, 'cli'>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const file = await environmentFile(podman, `${target}-migrate`, env)
  const program = ['node', `apps/${target}/dist/main.js`, 'migrate']
  await podman.run(
    ...['run', '--rm', '--network=host', ...hardened, `--env-file=${file}`, imageOf(target), ...program],
  )
}

async function environmentFile(podman: Podman, name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const file = join(podman.folder, `${name}.env`)
  const lines = Object.entries(env).filter(([, value]) => value !== undefined)
  await writeFile(file, lines.map(([key, value]) => `${key}=${value}\n`).join(''), { mode: 0o600 })
  return file
}

async function ready(port: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/health/ready`)
  if (status !== 200) throw new Error(`/health/ready says ${status}`)
}
