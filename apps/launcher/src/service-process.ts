import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { root, type ServiceName } from './installation.js'

const startMilliseconds = 60_000
const stopMilliseconds = 15_000

/**
 * How Node runs a service.
 *
 * Sizes are in MiB: its heap has the size that half of its container’s memory gives it. With all of the machine’s, Node would let the
 * garbage of a crowd of requests lie until it is three times what lives. And all of the heap is looked through once its old part has
 * grown to 48: more than half of that lives from the start, so that with its own measure Node would do so every second.
 *
 * What a request makes is made among the young: a collection of those costs what of them lives. By itself, V8 makes the like of what it
 * once saw survive among the old, where it lies until all of the heap is looked through, and keeps alive what it refers to. One thread does
 * it: a collection is shorter than what several cost to agree, which in a crowd is some per cent of a core.
 *
 * Node’s own code, more than half of what runs, is on large pages where the system has them (Linux): the processor finds it faster.
 */
export const nodeOptions = [
  '--max-semi-space-size=12',
  '--initial-old-space-size=48',
  '--max-old-space-size=256',
  '--no-allocation-site-pretenuring',
  '--no-parallel-scavenge',
  '--use-largepages=silent',
]

/** Of the C library, beside `nodeOptions`: memory that one thread gave back is there for all, and is on large pages too. */
export const memoryEnv = { MALLOC_ARENA_MAX: '2', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }

/** What Node compiled of a service is kept: the next process need not do it again. */
const compileCache = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/grantlog') }

/** One service as a process of its own. Killed by anything but us, it is started again. */
export class ServiceProcess {
  #child: ChildProcess | undefined
  #stopping = false
  #lastWords = ''
  /** What was asked last: starts and stops take turns. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(
    readonly name: ServiceName,
    private readonly env: NodeJS.ProcessEnv,
    private readonly logFolder: string,
    private readonly told: (line: string) => void,
    /** By which it is told from others of the same service. */
    private readonly label: string = name,
  ) {}

  /** The file that it writes its log into. */
  get log(): string {
    return join(this.logFolder, `${this.label}.log`)
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Returns when the service says that it listens. @throws Error with its last words */
  start(): Promise<void> {
    return this.#inTurn(() => {
      this.#stopping = false
      return this.#start()
    })
  }

  stop(): Promise<void> {
    this.#stopping = true // at once: what ends meanwhile is not started again
    return this.#inTurn(() => {
      this.#stopping = true // a restart that was under way had its own view
      return this.#stop()
    })
  }

  restart(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#stopping) return
      this.#stopping = true
      await this.#stop()
      this.#stopping = false
      await this.#start()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const outcome = this.#turn.then(work)
    this.#turn = outcome.catch(() => undefined) // its caller hears of it; the next one's turn comes all the same
    return outcome
  }

  async #start(): Promise<void> {
    const child = launch(this.name, [], this.env)
    this.#child = child
    const log = createWriteStream(this.log, { flags: 'a' })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        log.write(data)
        this.#lastWords = (this.#lastWords + data.toString()).slice(-4000)
      })
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(this.#failure('did not get ready within a minute')),
        startMilliseconds,
      )
      child.once('message', () => {
        clearTimeout(timer)
        resolve()
      })
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        clearTimeout(timer)
        log.end()
        reject(this.#failure(`ended while starting (${signal ?? `exit code ${code}`})`))
      })
    })
    child.once('exit', (code, signal) => this.#ended(code, signal))
  }

  async #stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds)
    await exited
    clearTimeout(timer)
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#stopping) return
    this.told(`${this.label} ended (${signal ?? `exit code ${code}`}): starting it again`)
    setTimeout(() => {
      if (this.#stopping) return
      this.#inTurn(async () => {
        if (!this.#stopping) await this.#start()
      }).then(
        () => this.#stopping || this.told(`${this.label} is back`),
        (error: Error) => {
          this.told(error.message)
          this.#ended(1, null)
        },
      )
    }, 500)
  }

  #failure(what: string): Error {
    return new Error(
      `${this.label} ${what}. Its last words:\n${this.#lastWords || '(none)'}\nAll of them: ${this.log}`,
    )
  }
}

/** Runs one of a service's commands and returns what it printed. @throws Error with its last words */
export async function runCommand(name: ServiceName, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = launch(name, args, env)
  let out = ''
  let err = ''
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString()
  })
  child.stderr?.on('data', (data: Buffer) => {
    err += data.toString()
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  if (code !== 0) throw new Error(`${name} ${args[0]} failed: ${(err || out).slice(-2000)}`)
  return out
}

function launch(name: ServiceName, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const main = join(root, 'apps', name, 'dist/main.js')
  // its own process group: Ctrl-C in the terminal reaches the launcher, which stops its services in order
  return spawn(process.execPath, [...nodeOptions, main, ...args], {
    env: { ...memoryEnv, ...compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
}
