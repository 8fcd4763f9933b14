import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Feed, Target } from './feed.js'

/** What a consumer would do with a token. `ended`: it runs no more, or does not answer. */
export type Answer = 'allowed' | 'revoked' | 'refuses' | 'ended'

/** The consumer that is looked at. */
export interface Consumer {
  /** Undefined where somebody else starts it. */
  start?(feed: Feed): Promise<void>
  /** What would become of a token that names the target, issued at a time in seconds. */
  ask(target: Target, issuedAt: number): Promise<Answer>
  /** What it said last of what went wrong. */
  lastWords(): string
  stop(): Promise<void>
}

interface Line {
  readonly kind?: unknown
  readonly id?: unknown
  readonly issuedBefore?: number | null
  readonly state?: unknown
}

/** A command that prints a line of JSON per revoked target, and `{"state":"ready"}` or `{"state":"stale"}` when it becomes so. */
export class CommandConsumer implements Consumer {
  #child: ChildProcess | undefined
  #state = 'starting'
  #errors: string[] = []
  readonly #cutoffs = new Map<string, number>()

  constructor(
    private readonly command: readonly string[],
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  async start({ address }: Feed): Promise<void> {
    const [program = '', ...args] = this.command.map(word =>
      word.replace(/\{(\w+)\}/g, (braces, name) => Reflect.get(address, name) ?? braces),
    )
    this.#state = 'starting'
    this.#errors = []
    this.#cutoffs.clear()
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own: what a shell has started ends with it
      env: {
        ...process.env,
        ...this.env,
        KAFKA_BROKERS: address.brokers,
        KAFKA_TOPIC_PREFIX: address.prefix,
        FEED_URL: address.url,
        FEED_TOKEN_FILE: address.tokenFile,
      },
    })
    child.once('error', error => this.#errors.push(error.message))
    createInterface(child.stdout).on('line', line => this.#hear(line))
    createInterface(child.stderr).on('line', line => this.#errors.push(line))
    this.#child = child
  }

  async ask({ kind, id }: Target, issuedAt: number): Promise<Answer> {
    if (!this.#runs) return 'ended'
    if (issuedAt <= (this.#cutoffs.get(`${kind} ${id}`) ?? Number.NEGATIVE_INFINITY)) return 'revoked'
    return this.#state === 'ready' ? 'allowed' : 'refuses'
  }

  lastWords(): string {
    return this.#errors.at(-1) ?? ''
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || !this.#runs) return
    const ended = once(child, 'exit')
    signal(child.pid, 'SIGTERM')
    const timer = setTimeout(() => signal(child.pid ?? 0, 'SIGKILL'), 5000)
    await ended
    clearTimeout(timer)
  }

  get #runs(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  #hear(text: string): void {
    if (!text.startsWith('{')) return // its log
    const { kind, id, issuedBefore, state }: Line = JSON.parse(text)
    if (state !== undefined) this.#state = String(state)
    if (kind === undefined) return
    const place = `${kind} ${id}`
    const cutoff = issuedBefore ?? Number.POSITIVE_INFINITY
    this.#cutoffs.set(place, Math.max(cutoff, this.#cutoffs.get(place) ?? cutoff))
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Asks over HTTP: 200 allowed, 401 or 403 revoked, 503 refuses. It may be started by a command, or by somebody else. */
export class ProbedConsumer implements Consumer {
  readonly start?: (feed: Feed) => Promise<void>
  #words = ''

  constructor(
    private readonly probe: string,
    private readonly command?: CommandConsumer,
  ) {
    if (command) this.start = feed => command.start(feed)
  }

  async ask({ kind, id }: Target, issuedAt: number): Promise<Answer> {
    const url = new URL(this.probe)
    for (const [name, value] of Object.entries({ kind, id, iat: String(issuedAt) }))
      url.searchParams.set(name, value)
    try {
      const { status } = await fetch(url, { signal: AbortSignal.timeout(5000) })
      if (status === 200) return 'allowed'
      if (status === 401 || status === 403) return 'revoked'
      if (status === 503) return 'refuses'
      this.#words = `${url} answers ${status}: 200, 401, 403 or 503 would be an answer.`
    } catch (error) {
      this.#words = `${url} does not answer: ${error instanceof Error ? error.message : error}`
    }
    return 'ended'
  }

  lastWords(): string {
    return this.command?.lastWords() || this.#words
  }

  async stop(): Promise<void> {
    await this.command?.stop()
  }
}
