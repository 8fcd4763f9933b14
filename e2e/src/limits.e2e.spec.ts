import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectRefusal, Wire } from './bad-input/wire.js'
import { type Endpoints, startEndpoints } from './endpoints.js'
import { type OwnSystem, startSystem, untilStatus } from './running-system.js'

const noRates = { ADDRESS_RATE: '0', CLIENT_RATE: '0' }
const clientCredentials = { grant_type: 'client_credentials', resource: 'urn:grantlog:platform' }

describe('the limits of the endpoints at which clients authenticate', () => {
  let running: OwnSystem
  let wire: Wire
  const instances: Endpoints[] = []
  beforeAll(async () => {
    running = await startSystem('embedded')
    wire = new Wire(running)
  })
  afterAll(async () => {
    await Promise.all(instances.map(instance => instance.stop()))
    await running?.stop()
  })

  async function start(
    settings: Record<string, string>,
    service: 'token' | 'consent' = 'token',
  ): Promise<Endpoints> {
    const instance = await startEndpoints(service, running, settings)
    instances.push(instance)
    return instance
  }
  const operator = () => wire.basic(running.demo.operator)
  const from = (address: string) => ({ 'x-forwarded-for': address })
  /** Sends until one is refused for coming too often. @returns it, and the status of each before */
  async function untilRefused(send: (n: number) => Promise<Response>) {
    const statuses: number[] = []
    for (let n = 0; n < 500; n++) {
      const response = await send(n)
      if (response.status === 429) return { refused: response, statuses }
      statuses.push(response.status)
    }
    throw new Error(`Never refused: ${new Set(statuses)}`)
  }
  async function expectTooMany(response: Response) {
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    await expectRefusal(response, {
      status: 429,
      error: 'temporarily_unavailable',
      says: 'Too many requests',
    })
  }

  it('a browser may read that its URL is too long, whatever else is looked at later', async () => {
    const response = await fetch(wire.url(`/token?${'x'.repeat(17_000)}`), {
      method: 'POST',
      headers: { origin: 'https://app.example' },
    })
    expect(response.status).toBe(414)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('let a flood of one client not starve another one', async () => {
    const instance = await start({ ...noRates, CLIENT_IN_FLIGHT: '20' })
    const token = await wire.operatorToken()
    const registered = await fetch(`${running.installation.url('clients')}/clients`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Flood',
        grant_types: ['client_credentials'],
        scope: 'invoices:read',
      }),
    })
    const { client_id: id, client_secret: secret } = (await registered.json()) as Record<string, string>
    const flooder = wire.basic({ id: id ?? '', secret: secret ?? '' })
    const ask = () => instance.post('/token', { grant_type: 'client_credentials' }, flooder)
    await untilStatus(200, ask)

    let over = false
    const counts: Record<number, number> = {}
    const flood = Array.from({ length: 300 }, async () => {
      while (!over) {
        const { status } = await ask()
        counts[status] = (counts[status] ?? 0) + 1
      }
    })
    const honest: number[] = []
    for (const end = Date.now() + 2000; honest.length < 20 || Date.now() < end; )
      honest.push((await instance.post('/token', clientCredentials, operator())).status)
    over = true
    await Promise.all(flood)

    expect(new Set(honest)).toEqual(new Set([200]))
    expect(counts[200]).toBeGreaterThan(0)
    expect(counts[429]).toBeGreaterThan(0)
    expect(Object.keys(counts).sort()).toEqual(['200', '429'])
    const { 'client-in-flight': told } = await instance.measured('grantlog_requests_refused_total')
    expect(told).toBe(counts[429])
    await untilStatus(200, ask)
  })

  it('hold a client at its rate, and no other one', async () => {
    const instance = await start({ ADDRESS_RATE: '0', CLIENT_RATE: '2' })
    const { refused, statuses } = await untilRefused(() =>
      instance.post('/token', clientCredentials, operator()),
    )
    expect(statuses.length).toBeGreaterThanOrEqual(10)
    await expectTooMany(refused)
    const other = await instance.post('/introspect', { token: 'x' }, wire.basic(wire.confidential))
    expect(other.status).toBe(200)
    expect(await instance.measured('grantlog_requests_refused_total')).toMatchObject({ 'client-rate': 1 })
  })

  describe('by address', () => {
    const publicRequest = (instance: Endpoints, headers: Record<string, string>) =>
      instance.post(
        '/token',
        { grant_type: 'refresh_token', refresh_token: 'x', client_id: wire.publicClient.id },
        headers,
      )

    it('do not believe a stranger who says where a request comes from', async () => {
      const instance = await start({ ADDRESS_RATE: '2' })
      const { refused, statuses } = await untilRefused(n =>
        publicRequest(instance, { ...from(`192.0.2.${n % 250}`), forwarded: `for=192.0.2.${n % 250}` }),
      )
      expect(new Set(statuses)).toEqual(new Set([400]))
      await expectTooMany(refused)
      for (const path of ['/jwks', '/.well-known/oauth-authorization-server'])
        expect((await fetch(`${instance.url}${path}`)).status).toBe(200)
    })

    it('believe a trusted proxy, but nothing that its client put before', async () => {
      const instance = await start({ ADDRESS_RATE: '2', TRUSTED_PROXIES: '127.0.0.1' })
      for (let n = 0; n < 50; n++)
        expect((await publicRequest(instance, from(`192.0.2.${n}`))).status).toBe(400)
      const { refused } = await untilRefused(n =>
        publicRequest(instance, from(`198.51.100.${n % 250}, 203.0.113.9`)),
      )
      await expectTooMany(refused)
      const { refused: network } = await untilRefused(n =>
        publicRequest(instance, from(`2001:db8::${(n + 1).toString(16)}`)),
      )
      await expectTooMany(network)
      expect((await publicRequest(instance, from('2001:db8:0:1::1'))).status).toBe(400)
    })

    it('do not count a client that proves who it is', async () => {
      const instance = await start({ ADDRESS_RATE: '1', CLIENT_RATE: '0' })
      for (let n = 0; n < 50; n++)
        expect((await instance.post('/token', clientCredentials, operator())).status).toBe(200)
    })
  })

  it('stop who tries secrets before one is compared, and the client nowhere else', async () => {
    const instance = await start({ ...noRates, TRUSTED_PROXIES: '127.0.0.1' })
    const guess = (n: number) =>
      wire.basic({ id: running.demo.operator.id, secret: `wrong-secret-number-${n}` })
    const attacker = from('203.0.113.66')
    const { refused, statuses } = await untilRefused(n =>
      instance.post('/token', clientCredentials, { ...attacker, ...guess(n) }),
    )
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect(statuses.length).toBeGreaterThanOrEqual(20)
    await expectTooMany(refused)
    const right = (address: string) =>
      instance.post('/token', clientCredentials, { ...from(address), ...operator() })
    await expectTooMany(await right('203.0.113.66'))
    expect((await right('192.0.2.1')).status).toBe(200)

    // wherever they come from: it is told, and the client still gets in
    for (let n = 0; n < 100; n++)
      await instance.post('/token', clientCredentials, { ...from(`198.51.100.${n}`), ...guess(n) })
    expect((await right('192.0.2.1')).status).toBe(200)
    const failed = await instance.measured('grantlog_authentications_failed_total')
    expect(failed.client_secret_basic).toBe(statuses.length + 100)
    const log = await instance.log()
    expect(log).toContain('a client fails to authenticate again and again')
    expect(log).not.toContain('wrong-secret-number')

    const page = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8')
    for (const name of ['grantlog_requests_refused_total', 'grantlog_authentications_failed_total'])
      expect(page).toContain(`\`${name}\``)
  })

  describe.each(['/par', '/device_authorization'])('at %s', path => {
    const asked = { response_type: 'code', scope: 'invoices:read' }

    it('by address, and nobody’s browser is counted', async () => {
      const instance = await start({ ADDRESS_RATE: '2' }, 'consent')
      const form = { ...asked, client_id: wire.publicClient.id, redirect_uri: 'https://elsewhere.example' }
      const { refused } = await untilRefused(() => instance.post(path, form))
      await expectTooMany(refused)
      for (let n = 0; n < 20; n++) expect((await fetch(`${instance.url}/sign-in`)).status).not.toBe(429)
      expect(await instance.measured('grantlog_requests_refused_total')).toMatchObject({ 'address-rate': 1 })
    })

    it('by client, wherever it comes from', async () => {
      const instance = await start({ ...noRates, CLIENT_RATE: '2', TRUSTED_PROXIES: '127.0.0.1' }, 'consent')
      const headers = (n: number) => ({ ...from(`192.0.2.${n % 250}`), ...wire.basic(wire.confidential) })
      const { refused, statuses } = await untilRefused(n => instance.post(path, asked, headers(n)))
      expect(statuses.length).toBeGreaterThanOrEqual(10)
      await expectTooMany(refused)
    })

    it('by wrong secrets, before one is compared', async () => {
      const instance = await start(noRates, 'consent')
      const guess = (n: number) =>
        wire.basic({ id: wire.confidential.id, secret: `wrong-secret-number-${n}` })
      const { refused, statuses } = await untilRefused(n => instance.post(path, asked, guess(n)))
      expect(new Set(statuses)).toEqual(new Set([401]))
      await expectTooMany(refused)
      await expectTooMany(await instance.post(path, asked, wire.basic(wire.confidential)))
      expect(await instance.log()).not.toContain('wrong-secret-number')
    })
  })

  it('count nothing against a public client: it has no secret that could be wrong', async () => {
    const instance = await start({ ...noRates })
    const { id } = wire.publicClient
    const form = { token: 'x', client_id: id }
    for (let n = 0; n < 30; n++)
      expect((await instance.post('/revoke', { ...form, client_secret: 'a-guess' })).status).toBe(401)
    expect((await instance.post('/revoke', form)).status).toBe(200)
  })
})
