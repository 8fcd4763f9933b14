import { once } from 'node:events'
import {
  Agent,
  type ClientRequest,
  createServer,
  get,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { pipeline } from 'node:stream/promises'

const askEveryMilliseconds = 100
const answerWithinMilliseconds = 1000
/** So often in a row an instance may give no answer in time: where the machine is busy, one that is slow is better than none. */
const silences = 3
/** How long a request waits for an instance that is ready. */
const patienceMilliseconds = 2000
/** Longer than any client keeps a connection that it does not use: none of them meets one that is just being closed. */
const keepAliveMilliseconds = 120_000
/** RFC 9110 §9.2.2: what may be sent again. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

interface Instance {
  readonly port: number
  ready: boolean
  /** Asked once at a time: an answer that comes late says nothing against a newer one. */
  asked: boolean
  silent: number
}

/**
 * What stands before the instances of one service: each request goes to the next one that says that it is ready, so that nobody meets
 * the same one twice in a row.
 */
export class Balancer {
  readonly #instances: Instance[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #timer: NodeJS.Timeout
  #turn = 0

  private constructor(private readonly server: Server) {
    server.on('request', (asked, answer) => this.#passSoon(asked, answer))
    this.#timer = setInterval(() => this.#ask(), askEveryMilliseconds)
  }

  /** Listens; it serves once an instance is added, and ready. */
  static async open(port: number): Promise<Balancer> {
    const server = createServer({ keepAliveTimeout: keepAliveMilliseconds })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new Balancer(server)
  }

  add(port: number): void {
    this.#instances.push({ port, ready: true, asked: false, silent: 0 })
  }

  close(): void {
    clearInterval(this.#timer)
    this.server.close()
    this.server.closeAllConnections()
    this.#agent.destroy()
  }

  /** The ready ones, the next one first. */
  #inTurn(): Instance[] {
    const ready = this.#instances.filter(instance => instance.ready)
    const first = this.#turn++ % Math.max(ready.length, 1)
    return [...ready.slice(first), ...ready.slice(0, first)]
  }

  #passSoon(asked: IncomingMessage, answer: ServerResponse, since = performance.now()): void {
    const ready = this.#inTurn()
    if (ready.length > 0) this.#pass(asked, answer, ready, since)
    else if (performance.now() - since < patienceMilliseconds)
      setTimeout(() => this.#passSoon(asked, answer, since), askEveryMilliseconds / 2)
    else
      answer
        .writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' })
        .end('No instance is ready.\n')
  }

  #pass(
    asked: IncomingMessage,
    answer: ServerResponse,
    [instance, ...others]: readonly Instance[],
    since: number,
  ): void {
    if (instance === undefined) {
      this.#passSoon(asked, answer, since)
      return
    }
    const { method = 'GET', url: path } = asked
    const { port } = instance
    const headers = endToEnd(asked.rawHeaders)
    // one that was kept may be closed at this moment, and nobody would know what became of the request
    const agent = idempotent.has(method) && this.#agent
    const passed = request({ agent, port, host: '127.0.0.1', method, path, headers })
    passed.on('response', answered => {
      answer.writeHead(answered.statusCode ?? 502, endToEnd(answered.rawHeaders))
      pipeline(answered, answer).catch(() => answer.destroy())
    })
    onConnected(passed, () => {
      passed.off('error', another)
      passed.on('error', () => answer.destroy()) // as a server that went away
      pipeline(asked, passed).catch(() => passed.destroy())
    })
    // nothing was sent yet: another one may do it
    const another = () => {
      instance.ready = false
      this.#pass(asked, answer, others, since)
    }
    passed.once('error', another)
  }

  #ask(): void {
    for (const instance of this.#instances) if (!instance.asked) this.#askOne(instance)
  }

  #askOne(instance: Instance): void {
    const { port } = instance
    instance.asked = true
    const timeout = answerWithinMilliseconds
    const asked = get({ port, host: '127.0.0.1', path: '/health/ready', timeout, agent: false })
    let late = false
    asked.on('response', answered => {
      answered.resume()
      instance.silent = 0
      instance.ready = answered.statusCode === 200
    })
    asked.on('timeout', () => {
      late = true
      instance.silent += 1
      asked.destroy()
    })
    asked.on('error', () => {
      if (!late || instance.silent >= silences) instance.ready = false
    })
    asked.on('close', () => {
      instance.asked = false
    })
  }
}

function onConnected(passed: ClientRequest, work: () => void): void {
  passed.once('socket', socket => (socket.connecting ? socket.once('connect', work) : work()))
}

/** The lines of the headers as they came, but for those of one connection (RFC 9110 §7.6.1). */
function endToEnd(lines: readonly string[]): string[] {
  return lines.filter((_, index) => !/^(connection|keep-alive)$/i.test(lines[index - (index % 2)] ?? ''))
}
