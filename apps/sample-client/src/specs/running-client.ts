import { fork } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TinyServer, tinyServer } from './authorization-server.js'

export interface RunningClient {
  readonly url: string
  readonly server: TinyServer
  readonly secret: string
  readonly output: () => string
  stop(): Promise<void>
}

/** The application as it is built, in a process of its own, registered at a tiny authorization server. */
export async function runningClient(environment: NodeJS.ProcessEnv = {}): Promise<RunningClient> {
  const secret = randomBytes(16).toString('hex')
  const server = await tinyServer({ secretOf: id => (id === 'ledgerly' ? secret : undefined) })
  const port = await freePort()
  const url = `http://localhost:${port}`
  const child = fork(join(import.meta.dirname, '../../dist/main.js'), [], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      ISSUER: server.issuer,
      RESOURCE: server.resource,
      PUBLIC_URL: url,
      GRANTS_URL: `${server.issuer}/grants`,
      CONFIDENTIAL_CLIENT_ID: 'ledgerly',
      CONFIDENTIAL_CLIENT_SECRET: secret,
      PUBLIC_CLIENT_ID: 'pocket-ledger',
      SESSION_KEY: randomBytes(32).toString('base64url'),
      ...environment,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', data => (output += String(data)))
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', code => reject(new Error(`The application ended with ${code}: ${output}`)))
  })
  return {
    url,
    server,
    secret,
    output: () => output,
    stop: async () => {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      await server.close()
    },
  }
}

/** Below the ports that systems give to outgoing connections. */
async function freePort(): Promise<number> {
  const port = 20_000 + randomInt(12_000)
  const probe = createServer()
  const free = await new Promise<boolean>(resolve => {
    probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!free) return freePort()
  await new Promise(resolve => probe.close(resolve))
  return port
}
