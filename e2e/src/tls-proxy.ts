import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { server as identity } from '@grantlog/testing'

/** What stands before all services: it ends TLS, gives each path of its host to a service, and tells where the request came from. */
export class TlsProxy {
  /** The port of the service that has a path. */
  route: (path: string) => number = () => 0

  private constructor(private readonly server: Server) {}

  static async open(): Promise<TlsProxy> {
    const server = createServer({ cert: identity.certificate, key: identity.key })
    const proxy = new TlsProxy(server)
    server.on('request', (asked, answer) => proxy.#pass(asked, answer))
    server.listen(0, 'localhost')
    await once(server, 'listening')
    return proxy
  }

  get url(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path = '/' } = asked
    const { connection: _, 'client-cert': __, ...headers } = asked.headers
    const before = [headers['x-forwarded-for']].flat().filter(each => each !== undefined)
    const told = {
      'x-forwarded-for': [...before, asked.socket.remoteAddress].join(', '),
      'x-forwarded-proto': 'https',
      'x-forwarded-host': headers.host,
    }
    const port = this.route(path.split('?')[0] ?? '/')
    const passed = request({ port, host: '127.0.0.1', method, path, headers: { ...headers, ...told } })
    passed.on('response', answered => {
      const { connection: ___, 'keep-alive': ____, ...kept } = answered.headers
      answer.writeHead(answered.statusCode ?? 502, kept)
      pipeline(answered, answer).catch(() => answer.destroy())
    })
    pipeline(asked, passed).catch(() => answer.destroy()) // as a server that went away
  }
}
