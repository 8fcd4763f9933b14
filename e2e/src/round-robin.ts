import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

/** A proxy that gives each request to the next server, so that nobody meets the same one twice in a row. */
export class RoundRobin {
  readonly #ports: number[] = []
  #turn = 0

  private constructor(private readonly server: Server) {}

  /** Listens; it serves once a server is added. */
  static async open(port: number): Promise<RoundRobin> {
    const server = createServer()
    const proxy = new RoundRobin(server)
    server.on('request', (asked, answer) => proxy.#pass(asked, answer))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  add(port: number): void {
    this.#ports.push(port)
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const port = this.#ports[this.#turn++ % this.#ports.length]
    const { method, url: path } = asked
    const passed = request({ port, host: '127.0.0.1', method, path, headers: endToEnd(asked.rawHeaders) })
    passed.on('response', answered => {
      answer.writeHead(answered.statusCode ?? 502, endToEnd(answered.rawHeaders))
      pipeline(answered, answer).catch(() => answer.destroy())
    })
    pipeline(asked, passed).catch(() => answer.destroy()) // as a server that went away
  }
}

/** The lines of the headers as they came, but for those of one connection (RFC 9110 §7.6.1). */
function endToEnd(lines: readonly string[]): string[] {
  return lines.filter((_, index) => !/^(connection|keep-alive)$/i.test(lines[index - (index % 2)] ?? ''))
}
