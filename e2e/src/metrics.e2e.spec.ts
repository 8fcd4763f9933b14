import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWithKafka, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MachineTokens } from './revocation/machine-tokens.js'
import { type OwnSystem, startSystem } from './running-system.js'

function metrics(transport: 'embedded' | 'kafka') {
  let running: OwnSystem
  beforeAll(async () => {
    running = await startSystem(transport)
  })
  afterAll(() => running?.stop())

  const read = async (service: 'consent' | 'resource' | 'token') =>
    new Map(
      (await (await fetch(`${running.installation.url(service)}/metrics`)).text())
        .split('\n')
        .filter(line => line.startsWith('grantlog_'))
        .map(line => {
          const space = line.lastIndexOf(' ')
          return [line.slice(0, space), Number(line.slice(space + 1))] as const
        }),
    )

  it('tell how far a resource server has heard of revocations, and what it keeps of them', async () => {
    const resource = await read('resource')
    for (const source of ['clients', 'consent', 'token'])
      expect(resource.get(`grantlog_revocations_staleness_seconds{source="${source}"}`)).toBeLessThan(5)
    for (const what of ['revocations', 'tokens'])
      expect(resource.get(`grantlog_guard_remembered{what="${what}"}`)).toBeGreaterThanOrEqual(0)
  })

  it('are a page for people too: how far the sample API has heard each source', async () => {
    const status = async () => {
      const answer = await fetch(`${running.installation.url('resource')}/status`, {
        headers: { accept: 'text/html' },
      })
      expect(answer.headers.get('refresh')).toBe('2')
      return answer.text()
    }
    const fresh = await status()
    expect(fresh.match(/>fresh</g)).toHaveLength(3)
    expect(fresh).toContain('Up to date')
  })

  it('tell how long a revocation took until it is denied, and nothing of those before the process began', async () => {
    const count = 'grantlog_revocation_seconds_count{source="token"}'
    expect((await read('resource')).get(count)).toBeUndefined()
    const machine = await MachineTokens.open(running)
    await machine.revoke(await machine.issue())
    await eventually(async () => expect((await read('resource')).get(count)).toBe(1))
  })

  it('tell how the log, the read models and the appends are, by names that come from no request', async () => {
    await eventually(async () => {
      const consent = await read('consent')
      // two accounts, a company and its member were made by another process
      expect(consent.get('grantlog_log_numbered')).toBe(4)
      expect(consent.get('grantlog_log_published')).toBe(transport === 'kafka' ? 4 : undefined)
      expect(consent.get('grantlog_projection_stopped{projection="consent.clients.v1"}')).toBe(0)
      expect(consent.get('grantlog_projection_parked_keys{projection="consent.grants.v1"}')).toBe(0)
      expect(consent.get('grantlog_projection_lag_seconds{projection="consent.clients.v1"}')).toBe(0)
      expect(
        consent.get('grantlog_projection_events_total{projection="consent.clients.v1"}'),
      ).toBeGreaterThan(2)
      const places = [...consent.keys()].filter(name => name.startsWith('grantlog_projection_waiting'))
      expect(places).toContain(
        `grantlog_projection_waiting{projection="consent.clients.v1",place="${transport === 'kafka' ? 'clients:0' : 'clients'}"}`,
      )
    })
    const names = new Set(
      [...(await read('consent')).keys()].map(name => name.replace(/(_bucket|_sum|_count)?(\{.*)?$/, '')),
    )
    const page = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8')
    for (const name of names) expect(page).toContain(`\`${name}\``)
    expect(names.size).toBeGreaterThan(12)

    const before = await read('token')
    const { id, secret } = running.demo.operator
    const response = await fetch(`${running.installation.url('token')}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    expect(response.status).toBe(200)
    const after = await read('token')
    const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
    expect(grown('grantlog_appends_total')).toBe(1)
    expect(grown('grantlog_append_events_total')).toBe(1)
    expect(grown('grantlog_append_batches_total')).toBe(1)
    expect(after.get('grantlog_appends_pending')).toBe(0)
    expect(after.get('grantlog_signing_key_age_seconds{algorithm="ES256"}')).toBeLessThan(3600)
    expect(page).toContain('`grantlog_signing_key_age_seconds`')
  })
}

describe('metrics', () => metrics('embedded'))
describeWithKafka('metrics, on Kafka', () => metrics('kafka'))
