import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import { freePort } from '@grantlog/servers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { RoundRobin } from './round-robin.js'

describe('the proxy that takes turns', () => {
  const servers: Server[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let proxy: RoundRobin
  let port: number
  beforeAll(async () => {
    port = await freePort()
    proxy = await RoundRobin.open(port)
    for (const name of ['a', 'b']) {
      const server = createServer(async (asked, answer) => {
        const body = Buffer.concat(await asked.toArray()).toString()
        answer.writeHead(
          201,
          [
            ['set-cookie', 'x=1'],
            ['set-cookie', 'y=2'],
            ['content-length', '2'],
          ].flat(),
        )
        seen.push({ name, method: asked.method, url: asked.url, ...asked.headersDistinct, body })
        answer.end('ok')
      })
      const own = await freePort()
      server.listen(own, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      proxy.add(own)
    }
  })
  afterAll(() => {
    agent.destroy()
    proxy.close()
    for (const server of servers) server.close()
  })
  const seen: Record<string, unknown>[] = []

  /** Over one connection. */
  async function send(body: string) {
    const headers = { 'x-twice': ['1', '2'], host: 'issuer.example' }
    const sent = request({ port, host: '127.0.0.1', path: '/token?a=b', method: 'POST', agent, headers })
    const answered = once(sent, 'response')
    sent.end(body)
    const [answer] = await answered
    const text = Buffer.concat(await answer.toArray()).toString()
    return { status: answer.statusCode, cookies: answer.headers['set-cookie'], text }
  }

  it('gives each request to the next server, as it came, and passes the answer on', async () => {
    for (const body of ['1', '2', '3', '4'])
      expect(await send(body)).toEqual({ status: 201, cookies: ['x=1', 'y=2'], text: 'ok' })
    expect(seen.map(({ name, body }) => `${name}${body}`)).toEqual(['a1', 'b2', 'a3', 'b4'])
    const rest = { method: 'POST', url: '/token?a=b', 'x-twice': ['1', '2'], host: ['issuer.example'] }
    for (const each of seen) expect(each).toMatchObject(rest)
  })

  it('cuts the connection where the server is gone, and answers nothing in its name', async () => {
    servers[0]?.close()
    servers[0]?.closeAllConnections()
    await expect(send('5')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect((await send('6')).status).toBe(201)
  })
})
