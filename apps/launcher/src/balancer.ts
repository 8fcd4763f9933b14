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

interface Instance {
  readonly port: number
  ready: boolean
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
    server.on('request', (asked, answer) => this.#pass(asked, answer, this.#inTurn()))
    this.#timer = setInterval(() => this.#ask(), askEveryMilliseconds)
  }

  /** Listens; it serves once an instance is added, and ready. */
  static async open(port: number): Promise<Balancer> {
    const server = createServer()
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new Balancer(server)
  }

  add(port: number): void {
    this.#instances.push({ port, ready: true })
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

  #pass(asked: IncomingMessage, answer: ServerResponse, [instance, ...others]: Instance[]): void {
    if (instance === undefined) {
      answer
        .writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' })
        .end('No instance is ready.\n')
      return
    }
    const { method, url: path } = asked
    const { port } = instance
    const headers = endToEnd(asked.rawHeaders)
    const passed = request({ agent: this.#agent, port, host: '127.0.0.1', method, path, headers })
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
      this.#pass(asked, answer, others)
    }
    passed.once('error', another)
  }

  #ask(): void {
    for (const instance of this.#instances) {
      const asked = get({
        port: instance.port,
        host: '127.0.0.1',
        path: '/health/ready',
        timeout: 1000,
        agent: false,
      })
      asked.on('response', answered => {
        answered.resume()
        instance.ready = answered.statusCode === 200
      })
      asked.on('timeout', () => asked.destroy())
      asked.on('error', () => {
        instance.ready = false
      })
    }
  }
}

function onConnected(passed: ClientRequest, work: () => void): void {
  passed.once('socket', socket => (socket.connecting ? socket.once('connect', work) : work()))
}

/** The lines of the headers as they came, but for those of one connection (RFC 9110 §7.6.1). */
function endToEnd(lines: readonly string[]): string[] {
  return lines.filter((_, index) => !/^(connection|keep-alive)$/i.test(lines[index - (index % 2)] ?? ''))
}
