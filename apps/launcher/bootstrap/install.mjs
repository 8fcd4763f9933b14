// Runs before anything is installed: Node's own modules only, on Node 20 or newer.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const neededBytes = 1.5e9
const stamp = join(root, 'node_modules/.grantlog-lock')

/**
 * Installs what the lock file names, unless that is done, and builds.
 * Returns the path of the pinned Node. Ends the process with a sentence where a step fails.
 */
export function ensureReady() {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < 20)
    fail(
      `Grantlog needs Node 20 or newer to start (it then brings its own): this is Node ${process.versions.node}.`,
    )
  install()
  const node = pinnedNode()
  build(node)
  return node
}

function install() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  const { bavail, bsize } = statfsSync(root)
  if (bavail * bsize < neededBytes) {
    fail(
      `There are ${Math.round((bavail * bsize) / 1e6)} MB free on this disk; the dependencies need about ${neededBytes / 1e6} MB. Make room, then start again.`,
    )
  }
  step('dependencies', () => {
    const result = npm(['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'])
    if (result.status !== 0) {
      fail(
        `npm could not install the dependencies: is there a network, and room on the disk?\n\n${words(result)}`,
      )
    }
  })
  writeFileSync(stamp, hash)
}

function build(node) {
  const turbo = createRequire(join(root, 'package.json')).resolve('turbo/bin/turbo')
  step(
    'build',
    () => {
      const result = run(
        process.execPath,
        [turbo, 'run', 'build', '--output-logs=errors-only', '--no-update-notifier'],
        {
          TURBO_TELEMETRY_DISABLED: '1',
          PATH: `${dirname(node)}:${process.env.PATH}`,
        },
      )
      if (result.status !== 0) fail(`The build failed:\n\n${words(result)}`)
    },
    2,
  )
}

/** Node 24 from npm: the services run on it whatever the machine has. */
function pinnedNode() {
  const folder = dirname(createRequire(join(root, 'package.json')).resolve('node/package.json'))
  const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(path))
    fail('The Node that the project brings is missing: remove the folder node_modules and start again.')
  return path
}

/** One line per step, unless it took no time worth telling. */
function step(name, work, quietBelowSeconds = 0) {
  const began = performance.now()
  if (process.stderr.isTTY) process.stderr.write(`  … ${name}\r`)
  work()
  const seconds = (performance.now() - began) / 1000
  if (process.stderr.isTTY) process.stderr.write(`${' '.repeat(name.length + 6)}\r`)
  if (seconds > quietBelowSeconds)
    process.stdout.write(`  ✓ ${name.padEnd(18)} ${seconds.toFixed(1).padStart(5)} s\n`)
}

function npm(args) {
  const cli = process.env.npm_execpath
  return cli?.endsWith('.js')
    ? run(process.execPath, [cli, ...args])
    : run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args)
}

function run(command, args, env = {}) {
  return spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1e8,
    env: { ...process.env, ...env },
    shell: command.endsWith('.cmd'),
  })
}

function words({ stdout, stderr, error }) {
  const lines = `${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`
    .split('\n')
    .filter(line => !line.startsWith('npm warn'))
  return lines.slice(-40).join('\n')
}

function fail(message) {
  process.stderr.write(`\n✗ ${message}\n`)
  process.exit(1)
}
