import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type FollowOptions, followRevocations } from './follow-revocations.js'
import { Freshness } from './freshness.js'
import { Guard } from './guard.js'
import { RevocationSet } from './revocation-set.js'

const time = Date.parse('2026-11-26T12:00:00.000Z')
const after = (seconds: number) => new Date(time + seconds * 1000)

const never = new Promise<string>(() => undefined)

const revoked = (id: string, cursor: string) =>
  `event: token.revoked.v1\ndata: ${JSON.stringify({ data: { target: { kind: 'token', id }, issuedBefore: null } })}\nid: ${cursor}\n\n`
const heard = (...sources: string[]) =>
  `event: heard\ndata: ${JSON.stringify(Object.fromEntries(sources.map(source => [source, after(0)])))}\n\n`

interface Connection {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  left: boolean
}

describe('whoever follows the revocations over HTTP', () => {
  let server: Server
  let connections: Connection[]
  /** Answers the nth connection; default: a stream that says nothing. */
  let answers: ((response: ServerResponse) => void)[]
  let revocations: RevocationSet
  let freshness: Freshness
  let troubles: string[]
  let following: { stop(): Promise<void> } | undefined
  beforeEach(async () => {
    connections = []
    answers = []
    troubles = []
    revocations = new RevocationSet()
    freshness = new Freshness(['consent', 'token'])
    server = createServer((request, response) => {
      const connection: Connection = { request, response, left: false }
      response.on('close', () => {
        connection.left = true
      })
      const answer = answers[connections.length] ?? stream
      connections.push(connection)
      answer(response)
    })
    await new Promise<void>(resolve => server.listen(0, resolve))
  })
  afterEach(async () => {
    await following?.stop()
    following = undefined
    server.closeAllConnections()
    server.close()
  })

  const stream = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  }
  const streams = (text: string) => (response: ServerResponse) => {
    stream(response)
    response.write(text)
  }
  const refuses = (status: number) => (response: ServerResponse) => response.writeHead(status).end()

  function follow(options: Partial<FollowOptions> = {}) {
    following = followRevocations({
      url: `http://localhost:${(server.address() as AddressInfo).port}/revocations`,
      accessToken: async () => 'a-token',
      revocations,
      freshness,
      trouble: error => troubles.push(String(error)),
      ...options,
    })
  }
  const connected = (number: number) =>
    eventually(() => {
      const connection = connections[number - 1]
      if (connection === undefined) throw new Error(`there are ${connections.length} connections`)
      return connection
    })

  it('is ready only once every source was read up to the present', async () => {
    const guard = new Guard({
      issuer: 'https://auth.example.com',
      audience: 'https://api.example.com',
      keys: async () => undefined,
      revocations,
      freshness,
      now: () => after(1),
    })
    follow()
    const { request, response } = await connected(1)
    expect(request.headers).toMatchObject({ accept: 'text/event-stream', authorization: 'Bearer a-token' })
    expect(request.headers).not.toHaveProperty('last-event-id')
    response.write(revoked('t1', 'c1'))
    await eventually(() => expect(revocations.size).toBe(1))
    expect(guard.health()).toMatchObject({ ok: false, stalenessSeconds: null, remembered: 1 })
    response.write(`${heard('token')}${revoked('t2', 'c2')}`)
    await eventually(() => expect(revocations.size).toBe(2))
    expect(guard.health()).toMatchObject({ ok: false, sources: { consent: null, token: 1 } })
    response.write(heard('consent', 'token'))
    await eventually(() => expect(guard.health()).toMatchObject({ ok: true, stalenessSeconds: 1 }))
  })

  it('takes a feed that has fallen silent for lost: it grows stale, and goes on from its cursor elsewhere', async () => {
    answers = [streams(revoked('t1', 'c1') + heard('consent', 'token'))]
    follow({ silentSeconds: 1 })
    const { request } = await connected(2)
    expect(connections[0]?.left).toBe(true)
    expect(troubles).toEqual([expect.stringMatching(/\/revocations fell silent$/)])
    expect(request.headers['last-event-id']).toBe('c1')
    // connected, and yet nothing more was heard
    expect(freshness.stalenessSeconds(after(30))).toBe(30)
  })

  it('reads what arrives in pieces, and passes over what it does not know', async () => {
    follow()
    const { response } = await connected(1)
    const text = `event: token.frozen.v1\ndata: {}\nid: c0\n\n${revoked('t-ü', 'c1')}${heard('consent', 'token')}`
    for (const octet of Buffer.from(text)) response.write(Buffer.of(octet))
    await eventually(() => expect(freshness.complete).toBe(true))
    const token = { tokenId: 't-ü', clientId: 'c', subject: 's', keyId: 'k', issuedAt: 0 }
    expect(revocations.revokedBy(token)).toBe('token')
  })

  it('goes on from its cursor, with another token, when it was cut off or refused', async () => {
    answers = [
      response => {
        stream(response)
        response.end(revoked('t1', 'c1') + revoked('t2', 'c2') + heard('consent', 'token'))
      },
      refuses(401),
      refuses(503),
    ]
    let asked = 0
    follow({
      async accessToken() {
        asked += 1
        return `token-${asked}`
      },
    })
    const { request } = await connected(4)
    expect(request.headers).toMatchObject({ authorization: 'Bearer token-4', 'last-event-id': 'c2' })
    expect(troubles).toEqual([expect.stringMatching(/answers 401$/), expect.stringMatching(/answers 503$/)])
  })

  it('tries again where it gets no token, at once or at all', async () => {
    const outcomes = [() => Promise.reject(new Error('no token')), () => never]
    follow({ accessToken: () => (outcomes.shift() ?? (async () => 'late'))(), silentSeconds: 0.2 })
    const { request } = await connected(1)
    expect(request.headers.authorization).toBe('Bearer late')
    expect(troubles).toEqual(['Error: no token', expect.stringMatching(/fell silent$/)])
  })

  it.each<[string, Partial<FollowOptions>, number]>([
    ['it is connected', {}, 1],
    ['it waits for a token', { accessToken: () => never }, 0],
  ])('stops while %s', async (_, options, number) => {
    follow(options)
    if (number > 0) await connected(number)
    await following?.stop()
    if (number > 0) await eventually(() => expect(connections[0]?.left).toBe(true))
    expect(troubles).toEqual([])
  })
})
