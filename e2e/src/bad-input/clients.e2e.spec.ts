import { beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningSystem, sharedSystem, untilStatus } from '../running-system.js'
import { collection } from './clients-registrations-table.js'
import { listing, type Operator, single, tokens } from './clients-table.js'
import { expectRefusal, Requests, watch } from './requests.js'
import { Wire } from './wire.js'

let running: RunningSystem
let requests: Requests
let operator: Operator
let appended: Awaited<ReturnType<typeof watch>>

beforeAll(async () => {
  running = await sharedSystem()
  requests = new Requests(running, 'clients')
  const { demo, audience } = running
  const token = await requests.platformToken(demo.operator)
  const wire = new Wire(running)
  operator = {
    token,
    reader: await requests.platformToken(demo.operator, 'clients:read'),
    foreign: (await wire.tokens(wire.confidential)).access_token,
    client: demo.confidential.id,
    publicClient: demo.publicClient.id,
    audience,
  }
  await untilStatus(200, () =>
    requests.send({ path: '/clients', headers: { authorization: `Bearer ${token}` } }),
  )
  appended = await watch(running)
})

describe.each([
  ['whoever asks', tokens],
  ['GET /clients, GET /apis', listing],
  ['POST /clients, POST /apis', collection],
  ['/clients/:id, /apis/:id', single],
])('the registry refuses: %s', (_, table) => {
  it.each(table)('$name', async ({ send, refusal }) => {
    await expectRefusal(requests, await requests.send(send(operator)), refusal)
  })
})

it('a URL too long', async () => {
  const path = `/clients?after=${'x'.repeat(17_000)}`
  const response = await requests.send({ path, headers: { authorization: `Bearer ${operator.token}` } })
  expect(response.status).toBe(414)
  expect(await response.json()).toMatchObject({ status: 414, detail: 'The URL is too long.' })
})

describe('when everything was refused', () => {
  it('nothing was appended to any log', async () => {
    expect(await appended()).toEqual([])
  })

  it('no secret stands in a log', async () => {
    expect(await requests.leaks()).toEqual({})
  })

  it('the right request is granted: each of the others failed for its one wrong thing', async () => {
    const registered = await requests.send({
      path: '/clients',
      headers: { authorization: `Bearer ${operator.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Right', redirect_uris: ['https://right.example/cb'], scope: 'a' }),
    })
    expect(registered.status).toBe(201)
    const { client_id, client_secret } = (await registered.json()) as Record<string, string>
    expect(requests.secret(client_secret ?? '')).toMatch(/^gls_/)
    const shown = await requests.send({
      path: `/clients/${client_id}`,
      headers: { authorization: `Bearer ${operator.reader}` },
    })
    // shown once, when it was made
    expect(Object.keys((await shown.json()) as object)).not.toContain('client_secret')
    expect(await requests.leaks()).toEqual({})
  })
})
