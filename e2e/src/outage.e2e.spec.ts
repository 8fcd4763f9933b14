import { describeWithKafka, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient, refreshUntilRefused } from './clients.js'
import { Ada, type OwnSystem, startSystem, untilStatus } from './running-system.js'

function outage(transport: 'embedded' | 'kafka') {
  let running: OwnSystem
  const ready = (service: 'consent' | 'resource') =>
    fetch(`${running.installation.url(service)}/health/ready`)
  beforeAll(async () => {
    running = await startSystem(transport)
  })
  afterAll(() => running?.stop())

  if (transport === 'kafka') {
    it('a source that falls silent makes the API unready, and nobody’s sign-in', async () => {
      await running.system.service('clients').stop()
      await untilStatus(503, () => ready('resource'), 60_000)
      const page = await fetch(`${running.installation.url('resource')}/status`, {
        headers: { accept: 'text/html' },
      })
      expect(await page.text()).toMatch(/No token is accepted.*stale/s)
      const consent = await ready('consent')
      expect(await consent.json()).toMatchObject({ status: 'ready', checks: { revocations: { ok: true } } })
      await running.system.service('clients').start()
      await untilStatus(200, () => ready('resource'))
    })
  }

  it('the token service goes on issuing while clients, consent and Kafka are down, and catches up when they return', async () => {
    const { system, installation, demo, audience } = running
    const client = await confidentialClient(running)
    const ada = new Ada(running)
    const callback = await ada.answer(await client.authorizationUrl('invoices:read'), client.redirectUri)

    await system.service('clients').stop()
    await system.service('consent').stop()
    if (transport === 'kafka') await system.broker.kill()

    const first = await client.redeem(callback)
    const second = await client.refresh(first.refreshToken)
    const issued = await fetch(`${installation.url('token')}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${demo.operator.id}:${demo.operator.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'urn:grantlog:platform' }),
    })
    expect(issued.status).toBe(200)
    const { access_token: operator } = (await issued.json()) as { access_token: string }
    expect(second.accessToken).not.toBe(first.accessToken)

    if (transport === 'kafka') await system.broker.restart()
    await system.service('clients').start()
    await system.service('consent').start()

    // it hears again: of a client that is suspended now
    await untilStatus(200, () =>
      fetch(`${installation.url('clients')}/clients/${demo.confidential.id}/suspend`, {
        method: 'POST',
        headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'The outage is over' }),
      }),
    )
    await untilStatus(401, () =>
      fetch(audience, { headers: { authorization: `Bearer ${second.accessToken}` } }),
    )
    // that its tokens are revoked may be heard before
    await eventually(async () => {
      await expect(refreshUntilRefused(client, second.refreshToken)).resolves.toMatchObject({ status: 401 })
    })
    // and is heard: consent shows when the grant was last used, although it was down then
    await eventually(async () => {
      const page = await ada.visitor.open(`${installation.url('consent')}/grants`)
      expect(page.html).toMatch(/Last used<\/dt><dd><time/)
    })
  })
}

describe('an outage on the embedded transport', () => outage('embedded'))
describeWithKafka('an outage on Kafka', () => outage('kafka'))
