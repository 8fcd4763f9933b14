import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensurePrograms, type Podman } from './podman.js'

const run = promisify(execFile)
const official = 'docker.io/library/node:24-bookworm-slim'
const madeHere = 'localhost/grantlog/node:24-bookworm-slim'

/** The image that ours are built on: the official one, or where no registry answers one like it, made here of Debian and our Node. */
export async function baseImage(podman: Podman): Promise<string> {
  for (const image of [official, madeHere]) if (await isHere(podman, image)) return image
  try {
    await podman.run('pull', '--quiet', official)
    return official
  } catch {
    process.stderr.write(`\n  ${official} can not be reached: making one like it of Debian and Node\n`)
    await make(podman)
    return madeHere
  }
}

async function isHere(podman: Podman, image: string): Promise<boolean> {
  return (await podman.run('images', '--quiet', image)) !== ''
}

async function make(podman: Podman): Promise<void> {
  await ensurePrograms({ mmdebstrap: 'mmdebstrap' })
  const root = join(podman.folder, 'base')
  const archive = join(podman.folder, 'base.tar')
  const unneeded = ['man', 'locale', 'doc'].map(name => `--dpkgopt=path-exclude=/usr/share/${name}/*`)
  await run('mmdebstrap', [
    '--mode=root',
    '--variant=minbase',
    '--include=ca-certificates',
    ...unneeded,
    'bookworm',
    root,
  ])
  const npm = join(podman.folder, 'npm')
  await run('npm', ['install', '--silent', '--prefix', npm, 'npm@11'])
  await mkdir(join(root, 'usr/local/lib/node_modules'), { recursive: true })
  await cp(process.execPath, join(root, 'usr/local/bin/node'))
  await chmod(join(root, 'usr/local/bin/node'), 0o755)
  await cp(join(npm, 'node_modules/npm'), join(root, 'usr/local/lib/node_modules/npm'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  for (const name of ['npm', 'npx']) {
    const script = `../lib/node_modules/npm/bin/${name}-cli.js`
    await run('ln', ['-sf', script, join(root, 'usr/local/bin', name)])
  }
  await run('chroot', [root, 'groupadd', '--gid', '1000', 'node'])
  await run('chroot', [root, 'useradd', '--uid', '1000', '--gid', 'node', '--create-home', 'node'])
  await run('tar', ['-C', root, '--exclude=./dev/*', '--exclude=./var/lib/apt/lists/*', '-cf', archive, '.'])
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  await podman.run('import', '--quiet', '-c', 'CMD ["node"]', '-c', `ENV PATH=${path}`, archive, madeHere)
  await rm(root, { recursive: true, force: true })
  await rm(archive)
}
