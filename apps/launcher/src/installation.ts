import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Demonstration, Operator } from '@grantlog/demonstration'
import { freePorts } from '@grantlog/servers'
import type { Options } from './options.js'

export const root = join(import.meta.dirname, '../../..')

export const serviceNames = ['sample-client', 'clients', 'consent', 'token', 'resource'] as const
export type ServiceName = (typeof serviceNames)[number]

/** What the first start made. */
export interface Demo extends Demonstration {
  readonly operator: Operator
}

interface Secrets {
  /** Names this installation's Kafka topics, so that another's never mix in. */
  readonly id: string
  readonly codeKeys: string
  readonly keyEncryptionKey: string
  readonly clientSecretKeys: string
  readonly consentSessionKey: string
  readonly sampleSessionKey: string
  /** The ports are part of what was made: of the issuer, the audience, the redirect URIs. */
  readonly portBase: number
}

/** One machine's Grantlog: its folder, its secrets, its ports. */
export class Installation {
  private constructor(
    readonly folder: string,
    readonly temporary: boolean,
    readonly secrets: Secrets,
    readonly ports: Readonly<Record<ServiceName, number>>,
    /** Set once the first start had got to its end. */
    public demo: Demo | undefined,
  ) {}

  /** @throws Error with a sentence when a port is taken, the folder can't be written, or another Grantlog runs on it */
  static async open(options: Options): Promise<Installation> {
    const folder = options.once
      ? await mkdtemp(join(tmpdir(), 'grantlog-'))
      : join(resolve(root, options.data ?? '.grantlog'), options.transport)
    await assertAlone(folder)
    if (options.fresh) await rm(folder, { recursive: true, force: true })
    const demo = await readJson<Demo>(join(folder, 'demo.json'))
    // a first start that was cut off is begun anew
    if (demo === undefined && !options.once) await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    // Postgres refuses to run as root: then it runs as another user, who must get to its files. Secrets have modes of their own.
    await chmod(folder, 0o755)
    const secrets = (await readJson<Secrets>(join(folder, 'secrets.json'))) ?? createSecrets(options.portBase)
    if (secrets.portBase !== options.portBase) {
      throw new Error(
        `The data in ${folder} was made for the ports from ${secrets.portBase}: start with --port-base ${secrets.portBase}, or begin anew with --fresh.`,
      )
    }
    const installation = new Installation(folder, options.once, secrets, await choosePorts(options), demo)
    await installation.write('secrets.json', secrets)
    await writeFile(join(folder, pidFile), String(process.pid))
    return installation
  }

  url(service: ServiceName): string {
    return `http://localhost:${this.ports[service]}`
  }

  /** Writes a file that only its owner may read, all of it or nothing. */
  async write(name: string, content: object): Promise<void> {
    const path = join(this.folder, name)
    await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Where an installation is and what it keeps, for whoever does not run it. */
export type Premises = Pick<Installation, 'folder' | 'ports' | 'secrets' | 'demo' | 'url'>

const pidFile = 'launcher.pid'

/** Two on one folder would stop each other's Postgres. */
async function assertAlone(folder: string): Promise<void> {
  const pid = Number(await readFile(join(folder, pidFile), 'utf8').catch(() => '0'))
  if (pid === 0 || pid === process.pid) return
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({
    stdout: '',
  }))
  if (stdout.includes('launcher'))
    throw new Error(`Grantlog runs on ${folder} already (process ${pid}): stop that one first.`)
}

function createSecrets(portBase: number): Secrets {
  const key = () => randomBytes(32).toString('base64url')
  return {
    id: randomBytes(4).toString('hex'),
    codeKeys: `k1:${key()}`,
    keyEncryptionKey: key(),
    clientSecretKeys: key(),
    consentSessionKey: key(),
    sampleSessionKey: key(),
    portBase,
  }
}

async function choosePorts(options: Options): Promise<Record<ServiceName, number>> {
  const ports = options.once
    ? await freePorts(serviceNames.length)
    : serviceNames.map((_, index) => options.portBase + index)
  const chosen = Object.fromEntries(serviceNames.map((name, index) => [name, ports[index]])) as Record<
    ServiceName,
    number
  >
  for (const [name, port] of Object.entries(chosen)) {
    if (!(await isFree(port))) {
      throw new Error(
        `Port ${port}, for ${name}, is taken. Stop what uses it, or choose others: npm start -- --port-base 5000`,
      )
    }
  }
  return chosen
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function readJson<T>(path: string): Promise<T | undefined> {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    throw new Error(`${path} can not be read: ${String(error)}. Begin anew with: npm start -- --fresh`)
  }
}
