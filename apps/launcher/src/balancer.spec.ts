import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import { freePort } from '@grantlog/servers'
import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Balancer } from './balancer.js'

describe('the balancer', () => {
  const servers: Server[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let balancer: Balancer
  let port: number
  beforeAll(async () => {
    port = await freePort()
    balancer = await Balancer.open(port)
    for (const name of ['a', 'b']) {
      const server = createServer(async (asked, answer) => {
        if (asked.url === '/health/ready') return answer.writeHead(ready.get(name) ? 200 : 503).end()
        if (dying.has(name)) return asked.destroy()
        const body = Buffer.concat(await asked.toArray()).toString()
        answer.writeHead(
          201,
          [
            ['set-cookie', 'x=1'],
            ['set-cookie', 'y=2'],
            ['by', name],
          ].flat(),
        )
        const nth = (requests.get(asked.socket) ?? 0) + 1
        requests.set(asked.socket, nth)
        seen.push({ name, nth, method: asked.method, url: asked.url, ...asked.headersDistinct, body })
        return answer.end(String(body.length))
      })
      const own = await freePort()
      server.listen(own, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      balancer.add(own)
    }
  })
  afterAll(() => {
    agent.destroy()
    balancer.close()
    for (const server of servers) server.close()
  })
  const seen: Record<string, unknown>[] = []
  const requests = new WeakMap<object, number>()
  const ready = new Map([
    ['a', true],
    ['b', true],
  ])
  const dying = new Set<string>()

  /** Over one connection. */
  async function send(body: string) {
    const headers = { 'x-twice': ['1', '2'], host: 'issuer.example' }
    const sent = request({ port, host: '127.0.0.1', path: '/token?a=b', method: 'POST', agent, headers })
    const answered = once(sent, 'response')
    sent.end(body)
    const [answer] = await answered
    const text = Buffer.concat(await answer.toArray()).toString()
    return { status: answer.statusCode, cookies: answer.headers['set-cookie'], by: answer.headers.by, text }
  }

  it('gives each request to the next server, as it came, and passes the answer on', async () => {
    for (const body of ['1', '2', '3', '4'])
      expect(await send(body)).toMatchObject({ status: 201, cookies: ['x=1', 'y=2'], text: '1' })
    expect(seen.map(({ name, body }) => `${name}${body}`)).toEqual(['a1', 'b2', 'a3', 'b4'])
    const rest = { method: 'POST', url: '/token?a=b', 'x-twice': ['1', '2'], host: ['issuer.example'] }
    for (const each of seen) expect(each).toMatchObject(rest)
  })

  it('sends what may not be sent twice over a connection of its own, which nobody is about to close', async () => {
    const from = seen.length
    for (let n = 0; n < 4; n++) await send('once')
    expect(seen.slice(from).map(({ nth }) => nth)).toEqual([1, 1, 1, 1])
    for (let n = 0; n < 4; n++) await (await fetch(`http://127.0.0.1:${port}/keys`)).text()
    expect(seen.slice(from + 4).map(({ nth }) => nth)).toEqual([1, 1, 2, 2])
  })

  it('asks each whether it is ready, and gives requests to those that are', async () => {
    ready.set('a', false)
    const four = async () => [await send('5'), await send('6'), await send('7'), await send('8')]
    await eventually(async () => expect((await four()).map(({ by }) => by)).toEqual(['b', 'b', 'b', 'b']))
    ready.set('b', false)
    await eventually(async () =>
      expect(await send('8')).toMatchObject({ status: 503, text: 'No instance is ready.\n' }),
    )
    for (const name of ['a', 'b']) ready.set(name, true)
    await eventually(async () => expect(new Set([(await send('9')).by, (await send('9')).by]).size).toBe(2))
  })

  it('whoever is gone has not been sent anything: the next one gets the whole request', async () => {
    servers[0]?.close()
    servers[0]?.closeAllConnections()
    const body = 'x'.repeat(200_000)
    for (let n = 0; n < 4; n++)
      expect(await send(body)).toMatchObject({ status: 201, by: 'b', text: body.length.toString() })
  })

  it('answers nothing in the name of one that went away with a request', async () => {
    dying.add('b')
    await expect(send('10')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
