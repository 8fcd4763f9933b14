import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type OwnSystem, startTwice } from '../running-system.js'
import { accounts } from './consent-accounts-table.js'
import { proven, unproven } from './consent-authorize-table.js'
import { anyForm, eachForm } from './consent-forms-table.js'
import { positions } from './consent-positions-table.js'
import { createWorld, decisionForm, filled, get, revocationForm, type World } from './consent-world.js'
import { expectRefusal, Requests, watch } from './requests.js'

let running: OwnSystem
let requests: Requests
let world: World
let appended: Awaited<ReturnType<typeof watch>>

beforeAll(async () => {
  running = await startTwice()
  requests = new Requests(running, 'consent')
  world = await createWorld(requests)
  appended = await watch(running)
})
afterAll(() => running?.stop())

describe.each([
  ['GET /authorize, told to the person: where the answer may go is not proven', unproven],
  ['GET /authorize, told to the client', proven],
  ['a form that did not come from our page', anyForm],
  ['a form that says what it must not', eachForm],
  ['the operators’ interface', accounts],
  ['what an API reports of itself', positions],
])('refused: %s', (_, table) => {
  it.each(table)('$name', async ({ send, refusal }) => {
    await expectRefusal(requests, await requests.send(send(world)), refusal)
  })
})

describe('when everything was refused', () => {
  it('nothing was appended to any log', async () => {
    expect(await appended()).toEqual([])
  })

  it('no secret stands in a log', async () => {
    for (const sent of ['a wrong password', 'correct horse battery']) requests.secret(sent)
    expect(await requests.leaks()).toEqual({})
  })

  it('each of the right forms works: the others failed for their one wrong thing', async () => {
    const { result, log } = await running.logged(async () => {
      const approved = await requests.send(filled(requests, decisionForm(world)))
      const revoked = await requests.send(filled(requests, revocationForm(world.ada, world.companysGrant)))
      const signedOut = await requests.send(
        filled(requests, { path: '/sign-out', cookie: world.member, purpose: 'sign-out', fields: {} }),
      )
      return [approved, revoked, signedOut]
    })
    expect(result.map(response => response.status)).toEqual([303, 303, 303])
    expect(log.map(line => line.type)).toEqual(['grant.code-issued', 'grant.revoked', 'token.revoked'])
    const [approved] = result
    const code = new URL(approved?.headers.get('location') ?? '').searchParams.get('code') ?? ''
    expect(requests.secret(code.split('.').at(-1) ?? '').length).toBeGreaterThan(12)
    expect(await requests.leaks()).toEqual({})
    const page = await requests.send(get('/grants', world.member))
    expect(page.headers.get('location')).toBe('/sign-in')
  })
})
