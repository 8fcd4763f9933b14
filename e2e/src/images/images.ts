import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { baseImage } from './base-image.js'
import type { Podman } from './podman.js'

const root = join(import.meta.dirname, '../../..')

export const targets = ['clients', 'consent', 'token', 'resource', 'sample-client', 'cli'] as const
export type Target = (typeof targets)[number]

export const imageOf = (target: Target) => `localhost/grantlog/${target}`

/** Builds every target of the Dockerfile, and returns the image that they stand on. Who comes second finds everything built. */
export function buildImages(podman: Podman): Promise<string> {
  return oneAtATime(() => build(podman))
}

async function build(podman: Podman): Promise<string> {
  const base = await baseImage(podman)
  const network = await networkOptions(podman.folder)
  for (const target of targets) {
    await podman.run(
      'build',
      '--quiet',
      '--format=docker', // the other one has no HEALTHCHECK
      '--isolation=chroot',
      '--pull=never',
      '--layers',
      `--build-arg=NODE_IMAGE=${base}`,
      `--target=${target}`,
      `--tag=${imageOf(target)}`,
      ...network,
      root,
    )
  }
  return base
}

/** The build’s npm asks whom this machine’s npm asks, and trusts whom that trusts. */
async function networkOptions(folder: string): Promise<string[]> {
  const [registry, cafile] = await Promise.all(['registry', 'cafile'].map(npmSetting))
  const settings = Object.entries({ registry, cafile }).filter(([, value]) => value !== undefined)
  const file = join(folder, 'npmrc')
  await writeFile(file, settings.map(([name, value]) => `${name}=${value}\n`).join(''))
  return [`--volume=${file}:/usr/local/etc/npmrc:ro`, ...(cafile ? [`--volume=${cafile}:${cafile}:ro`] : [])]
}

async function npmSetting(name: string): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', name], { cwd: root })
  const value = stdout.trim()
  return ['', 'null', 'undefined'].includes(value) ? undefined : value
}

/** Over all processes of this machine; the lock ends with the process that holds it. */
async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(tmpdir(), 'grantlog-images.lock')
  const holder = spawn('flock', [lock, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  try {
    return await work()
  } finally {
    holder.stdin.end()
  }
}
