import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { eventually } from '@grantlog/testing'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Freshness } from './freshness.js'
import { Guard } from './guard.js'
import { type ReportOptions, type Reports, reportPositions } from './report-positions.js'
import { RevocationSet } from './revocation-set.js'

const never = new Promise<never>(() => undefined)
const revocation = (id: string) => ({ target: { kind: 'token', id }, issuedBefore: null }) as const

interface Received {
  readonly method: string | undefined
  readonly authorization: string | undefined
  readonly body: {
    readonly resource: string
    readonly instance: string
    readonly complete_until: Readonly<Record<string, string>> | null
  }
}

describe('whoever reports how far the revocations were applied', () => {
  let server: Server
  let received: Received[]
  /** Answers the nth report; default: 204. */
  let answers: ((response: ServerResponse) => void)[]
  let revocations: RevocationSet
  let freshness: Freshness
  let troubles: string[]
  let outcomes: string[]
  let reports: Reports | undefined
  beforeEach(async () => {
    received = []
    answers = []
    troubles = []
    outcomes = []
    revocations = new RevocationSet()
    freshness = new Freshness(['consent', 'token'])
    server = createServer(async (request, response) => {
      const { method, headers } = request
      const body = JSON.parse(await text(request))
      const answer = answers[received.length] ?? accepts
      received.push({ method, authorization: headers.authorization, body })
      answer(response)
    })
    await new Promise<void>(resolve => server.listen(0, resolve))
  })
  afterEach(async () => {
    await reports?.stop()
    reports = undefined
    server.closeAllConnections()
    server.close()
  })

  const accepts = (response: ServerResponse) => response.writeHead(204).end()
  const refuses = (status: number) => (response: ServerResponse) => response.writeHead(status).end()
  const breaks = (response: ServerResponse) => response.destroy()
  const hangs = () => undefined

  function report(options: Partial<ReportOptions> = {}): Reports {
    reports = reportPositions({
      url: `http://localhost:${(server.address() as AddressInfo).port}/positions`,
      accessToken: async () => 'a-token',
      resource: 'https://api.example.com',
      revocations,
      freshness,
      ended: outcome => outcomes.push(outcome),
      trouble: error => troubles.push(String(error)),
      everySeconds: 3600,
      ...options,
    })
    return reports
  }
  function hear(milliseconds: number) {
    for (const source of ['consent', 'token']) freshness.alive(source, new Date(milliseconds))
  }
  const accepted = (count: number) =>
    eventually(() =>
      expect(outcomes.filter(outcome => outcome === 'accepted').length).toBeGreaterThanOrEqual(count),
    )

  it('says nothing before every source was read, and then how far each was', async () => {
    const made = report()
    freshness.alive('token', new Date('2026-11-26T12:00:00.250Z'))
    revocations.apply(revocation('t1'))
    await new Promise(resolve => setTimeout(resolve, 600))
    expect(received).toEqual([])
    expect(made.reportedSeconds).toBeNull()
    freshness.alive('consent', new Date('2026-11-26T12:00:01Z'))
    await accepted(1)
    expect(received[0]).toEqual({
      method: 'PUT',
      authorization: 'Bearer a-token',
      body: {
        resource: 'https://api.example.com',
        instance: expect.stringMatching(/^[0-9a-f-]{36}$/),
        complete_until: { consent: '2026-11-26T12:00:01.000Z', token: '2026-11-26T12:00:00.250Z' },
      },
    })
    expect(made.reportedSeconds).toEqual(expect.any(Number))
  })

  it('says it again when something was revoked, until it can be known that it was applied, and no more', async () => {
    report({ instance: 'one' })
    hear(1000)
    await accepted(1)
    hear(2000)
    revocations.apply(revocation('t1'))
    await accepted(2)
    expect(received[1]?.body).toMatchObject({
      instance: 'one',
      complete_until: { consent: expect.any(String) },
    })
    hear(5000)
    await eventually(() =>
      expect(received.at(-1)?.body.complete_until?.consent).toBe('1970-01-01T00:00:05.000Z'),
    )
    // the interval is an hour: what comes now would be a report that nothing asked for
    const quiet = async (count = -1): Promise<number> => {
      if (received.length === count) return count
      const before = received.length
      await new Promise(resolve => setTimeout(resolve, 1500))
      return quiet(before)
    }
    expect(await quiet()).toBeLessThan(8)
  })

  it('says many revocations at once', async () => {
    report()
    hear(1000)
    await accepted(1)
    for (let id = 0; id < 1000; id += 1) revocations.apply(revocation(`t${id}`))
    await accepted(2)
    expect(received.length).toBeLessThan(4)
  })

  it('says it every few seconds, also where nothing is revoked', async () => {
    report({ everySeconds: 0.3 })
    hear(1000)
    await accepted(3)
    expect(troubles).toEqual([])
  })

  it('tries again where it was not heard, and complains once until it is', async () => {
    answers = [refuses(500), breaks, refuses(503), accepts, refuses(500)]
    const made = report({ everySeconds: 0.3 })
    hear(1000)
    await accepted(1)
    expect(outcomes.slice(0, 4)).toEqual(['failed', 'failed', 'failed', 'accepted'])
    expect(troubles).toEqual([expect.stringMatching(/\/positions answers 500$/)])
    expect(made.reportedSeconds).not.toBeNull()
    await accepted(2)
    expect(outcomes.slice(4, 6)).toEqual(['failed', 'accepted'])
    expect(troubles).toHaveLength(2)
  })

  it('asks for another token where one was refused, and for the same report', async () => {
    answers = [refuses(401)]
    const asked: (string | undefined)[] = []
    report({
      async accessToken(refused) {
        asked.push(refused)
        return `token-${asked.length}`
      },
    })
    hear(1000)
    await accepted(1)
    expect(asked).toEqual([undefined, 'token-1'])
    expect(received.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(outcomes).toEqual(['accepted'])
  })

  it('tries again where it gets no token, at once or at all', async () => {
    const tokens = [() => Promise.reject(new Error('no token')), () => never]
    report({ accessToken: () => (tokens.shift() ?? (async () => 'late'))() })
    hear(1000)
    await accepted(1)
    expect(received.map(({ authorization }) => authorization)).toEqual(['Bearer late'])
    expect(troubles).toEqual(['Error: no token'])
  })

  it('disturbs no verification while nobody answers it, and stops all the same', async () => {
    answers = [hangs]
    const guard = new Guard({
      issuer: 'https://auth.example.com',
      audience: 'https://api.example.com',
      keys: async () => undefined,
      revocations,
      freshness,
    })
    const made = report()
    hear(Date.now())
    await eventually(() => expect(received).toHaveLength(1))
    expect(guard.health().ok).toBe(true)
    await expect(guard.verify({ authorization: 'Bearer x' })).rejects.toMatchObject({ status: 401 })
    expect(outcomes).toEqual([])
    await made.stop()
    revocations.apply(revocation('t1'))
    await new Promise(resolve => setTimeout(resolve, 600))
    expect(received).toHaveLength(1)
    expect(troubles).toEqual([])
  })

  it('takes back what it said when it stops, with the token that it has, and where nobody hears that it ends all the same', async () => {
    const made = report({ instance: 'one' })
    hear(1000)
    await accepted(1)
    await made.stop()
    expect(received.slice(1).map(({ body }) => body)).toEqual([
      { resource: 'https://api.example.com', instance: 'one', complete_until: null },
    ])
    answers = [accepts, accepts, accepts, hangs]
    const another = report()
    hear(2000)
    await accepted(2)
    await another.stop()
    expect(received).toHaveLength(4)
    expect(troubles).toEqual([expect.stringContaining('timeout')])
  })

  it('stops while it waits for a token', async () => {
    const asked = Promise.withResolvers<void>()
    const made = report({
      accessToken() {
        asked.resolve()
        return never
      },
    })
    hear(1000)
    await asked.promise
    await made.stop()
    expect(outcomes).toEqual([])
    expect(troubles).toEqual([])
  })
})
