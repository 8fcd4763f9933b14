import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { databaseNames, prove } from '@grantlog/launcher'
import { describeWithKafka } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient, publicClient, type TestClient } from './clients.js'
import { Ada, type OwnSystem, startTwice, twoOfEach } from './running-system.js'

/** Between two requests of a worker: starting a process takes its share of the processor too. */
const pauseMilliseconds = 100

/** Everything that clients and people ask for, again and again, until it is told to end. */
class Load {
  readonly done: Record<string, number> = {}
  readonly failures: string[] = []
  #over = false
  readonly #workers: Promise<void>[] = []

  add(name: string, work: () => Promise<unknown>): void {
    this.done[name] = 0
    this.#workers.push(this.#repeat(name, work))
  }

  async end(): Promise<void> {
    this.#over = true
    await Promise.all(this.#workers)
  }

  async #repeat(name: string, work: () => Promise<unknown>): Promise<void> {
    while (!this.#over && this.failures.length < 20) {
      await delay(pauseMilliseconds)
      try {
        await work()
        this.done[name] = (this.done[name] ?? 0) + 1
      } catch (error) {
        this.failures.push(`${name}: ${inspect(error)}`) // with its cause
      }
    }
  }
}

function rollingRestart(transport: 'embedded' | 'kafka') {
  let running: OwnSystem
  beforeAll(async () => {
    running = await startTwice({ token: { ADDRESS_RATE: '0', CLIENT_RATE: '0' } }, transport, twoOfEach)
  })
  afterAll(() => running?.stop())

  it('every instance of every service restarts, one after the other, and no request fails', async () => {
    const { system, installation, backbone, demo } = running
    const load = new Load()
    const operator = { authorization: `Basic ${btoa(`${demo.operator.id}:${demo.operator.secret}`)}` }
    const token = await ok(
      fetch(`${installation.url('token')}/token`, {
        method: 'POST',
        headers: operator,
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'urn:grantlog:platform' }),
      }),
    )
    const platform = { authorization: `Bearer ${(token as { access_token: string }).access_token}` }
    load.add(
      'a person approves, a confidential client gets a token, reads, refreshes, revokes',
      mainJob(confidentialClient),
    )
    load.add(
      'a person approves, a public client gets a token, reads, refreshes, revokes',
      mainJob(publicClient),
    )
    load.add('client credentials', () =>
      ok(
        fetch(`${installation.url('token')}/token`, {
          method: 'POST',
          headers: operator,
          body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'urn:grantlog:platform' }),
        }),
      ),
    )
    load.add('keys', () => ok(fetch(`${installation.url('token')}/jwks`)))
    load.add('clients are listed', () =>
      ok(fetch(`${installation.url('clients')}/clients`, { headers: platform })),
    )
    load.add('a client is registered', () =>
      ok(
        fetch(`${installation.url('clients')}/clients`, {
          method: 'POST',
          headers: { ...platform, 'content-type': 'application/json' },
          body: JSON.stringify({
            client_name: 'One of many',
            redirect_uris: ['https://app.example/callback'],
            grant_types: ['authorization_code'],
            token_endpoint_auth_method: 'none',
            scope: 'invoices:read',
          }),
        }),
      ),
    )

    for (const name of databaseNames) {
      const before = { done: { ...load.done }, pids: system.service(name).pids }
      await system.service(name).restart()
      for (const [kind, count] of Object.entries(load.done))
        expect([name, kind, count > (before.done[kind] ?? 0)]).toEqual([name, kind, true])
      const still = system.service(name).pids.filter(pid => before.pids.includes(pid))
      expect([name, still]).toEqual([name, []])
    }
    await load.end()
    expect(load.failures).toEqual([])
    process.stdout.write(`  while eight processes restarted: ${JSON.stringify(load.done)}\n`)
    expect(await prove(installation, backbone, demo, () => undefined)).toMatchObject({ ok: true })
  }, 300_000)

  /** One person who stays signed in. */
  function mainJob(make: (running: OwnSystem) => Promise<TestClient>): () => Promise<void> {
    const ada = new Ada(running)
    const invoices = (accessToken: string) =>
      ok(fetch(running.audience, { headers: { authorization: `Bearer ${accessToken}` } }))
    return async () => {
      const client = await make(running)
      const callback = await ada.answer(await client.authorizationUrl('invoices:read'), client.redirectUri)
      const first = await client.redeem(callback)
      await invoices(first.accessToken)
      const second = await client.refresh(first.refreshToken)
      await invoices(second.accessToken)
      await client.revoke(second.refreshToken)
    }
  }
}

/** @throws Error with the answer where it is no success */
async function ok(request: Promise<Response>): Promise<unknown> {
  const response = await request
  const body = await response.text()
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${body}`)
  return JSON.parse(body)
}

describe('a rolling restart under load', () => rollingRestart('embedded'))
describeWithKafka('a rolling restart under load, on Kafka', () => rollingRestart('kafka'))
