import { formOf, type Page, Visitor } from '@grantlog/demonstration'
import { eventsSince, type LogLine, lastEvents } from '@grantlog/launcher'
import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient, publicClient } from './clients.js'
import { startInstance } from './instance.js'
import { type Person, password, RevokeWorld } from './revoke-world.js'
import { type OwnSystem, startSystem, untilStatus } from './running-system.js'
import { DeviceWorld } from './standards/device-world.js'

const wordsOf = ({ html }: Page) => html.replace(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ').replace(/\s+/g, ' ')

/** Each way to revoke, as it is done: they go on side by side, each with people of its own. */
const ways: Record<string, (world: RevokeWorld) => Promise<void>> = {
  async 'a person revokes everything on “your grants”'(world) {
    const person = await world.person()
    const owner = `person:${person.id}`
    const [ada, elsewhere] = [world.browser(person), world.browser(person)]
    const first = await world.held(ada, await confidentialClient(world.running), owner)
    const second = await world.held(elsewhere, await publicClient(world.running), owner)
    const third = await publicClient(world.running)
    const unused = await world.approved(ada, third, owner)
    const grants = world.url('consent', '/grants')
    const page = await ada.visitor.open(grants)
    expect(page.html).toMatch(/grants\/[0-9a-f-]{36}\/revoke/)
    const after = await ada.visitor.submit(page, formOf(page, /revoke-all/), {})
    expect(wordsOf(after)).toContain('Everything is revoked')
    expect(wordsOf(after)).toContain('Nobody has access')
    expect(after.html).not.toMatch(/grants\/[0-9a-f-]{36}\/revoke/)
    expect((await elsewhere.visitor.open(grants)).url).toContain('/sign-in')
    await world.expectDead(first, second)
    await expect(third.redeem(unused)).rejects.toMatchObject({ error: 'invalid_grant' })
    const anew = await world.held(ada, await confidentialClient(world.running), owner)
    expect(anew.claims.grant).not.toBe(first.claims.grant)
    await world.expectDead(first)
  },

  async 'a person changes her password'(world) {
    const person = await world.person()
    const owner = `person:${person.id}`
    const [ada, elsewhere] = [world.browser(person), world.browser(person)]
    const held = await world.held(ada, await confidentialClient(world.running), owner)
    await world.held(elsewhere, await publicClient(world.running), owner)
    const url = world.url('consent', '/sign-in/password')
    const change = async (current: string, next: string) => {
      const page = await ada.visitor.open(url)
      return ada.visitor.submit(page, formOf(page, /password/), { current, next })
    }
    const next = 'another-one-of-several-words'
    expect(await change('not-the-one-that-she-has', next)).toMatchObject({ status: 403 })
    expect(await change(password, 'short')).toMatchObject({ status: 400 })
    await world.expectAlive(held)
    expect(wordsOf(await change(password, next))).toContain('Your password is changed')
    expect((await elsewhere.visitor.open(url)).url).toMatch(/\/sign-in$/)
    await world.expectDead(held)
    const anew = world.browser({ ...person, password: next })
    await world.held(anew, await confidentialClient(world.running), owner)
    await expect(
      world.approved(world.browser(person), await publicClient(world.running), owner),
    ).rejects.toThrow(/shows no form/)
  },

  async 'a person changes her password, where the policy leaves her grants alone'(world) {
    const person = await world.person()
    const held = await world.held(
      world.browser(person),
      await confidentialClient(world.running),
      `person:${person.id}`,
    )
    const second = await startInstance('consent', world.running, { REVOKE_ON_PASSWORD_CHANGE: 'no' })
    try {
      // its pages are not where its PUBLIC_URL says: a browser that names no origin
      let cookie = ''
      const visit = async (path: string, form?: Record<string, string>) => {
        const response = await fetch(`${second.url}${path}`, {
          redirect: 'manual',
          headers: { cookie },
          ...(form && { method: 'POST', body: new URLSearchParams(form) }),
        })
        cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
        return { url: `${second.url}${path}`, status: response.status, html: await response.text() }
      }
      const fill = async (path: string, entries: Record<string, string>) => {
        const page = await visit(path)
        return visit(path, { ...formOf(page, new RegExp(`${path}$`)).fields, ...entries })
      }
      await fill('/sign-in', { email: person.email, password })
      const changed = await fill('/sign-in/password', { current: password, next: `${password}-more` })
      expect(changed.status).toBe(303)
    } finally {
      await second.stop()
    }
    const events = (await lines(world)).filter(({ streamId }) => streamId === `account-${person.id}`)
    expect(events.map(({ type }) => type)).toEqual(['account.registered', 'account.password-changed'])
    await world.expectAlive(held)
  },

  async 'an account is suspended: nobody signs in with it, until it is reinstated'(world) {
    const person = await world.person()
    const owner = `person:${person.id}`
    const ada = world.browser(person)
    const held = await world.held(ada, await confidentialClient(world.running), owner)
    const url = world.url('consent', `/accounts/${person.id}`)
    const answer = await world.make(`${url}/suspend`, { reason: 'her laptop was stolen' })
    expect(answer).toEqual({ account_id: person.id, suspended: true })
    expect((await ada.visitor.open(world.url('consent', '/grants'))).url).toMatch(/\/sign-in$/)
    await expect(world.approved(ada, await publicClient(world.running), owner)).rejects.toThrow(
      /shows no form/,
    )
    await world.expectDead(held)
    expect((await world.send(`${url}/reinstate`)).status).toBe(200)
    await world.held(ada, await confidentialClient(world.running), owner)
  },

  async 'an operator revokes an owner: grantlog revoke --owner'(world) {
    const person = await world.person()
    const organization = await world.organization(person)
    const ada = world.browser(person)
    const held = await Promise.all([
      world.held(ada, await confidentialClient(world.running), `person:${person.id}`),
      world.held(world.browser(person), await publicClient(world.running), `organization:${organization}`),
    ])
    const revoked = await world.revoke('--owner', person.id, '--reason', 'her telephone was stolen')
    expect(revoked).toMatchObject({ target: { kind: 'owner', id: person.id }, event: expect.any(String) })
    await world.expectDead(...held)
    await world.held(ada, await confidentialClient(world.running), `person:${person.id}`)
  },

  async 'an operator revokes an organization: grantlog revoke --organization'(world) {
    const person = await world.person()
    const organization = await world.organization(person)
    const ada = world.browser(person)
    const owner = `organization:${organization}`
    const theirs = await world.held(ada, await confidentialClient(world.running), owner)
    const hers = await world.held(ada, await publicClient(world.running), `person:${person.id}`)
    await world.revoke('--organization', organization, '--reason', 'the company was sold')
    await world.expectDead(theirs)
    await world.expectAlive(hers)
    const page = await ada.visitor.open(world.url('consent', '/grants'))
    expect(page.html).not.toContain(`${theirs.claims.grant}/revoke`)
    expect(page.html).toContain(`${hers.claims.grant}/revoke`)
    await world.held(ada, await confidentialClient(world.running), owner)
  },

  async 'an operator revokes a grant, and again: grantlog revoke --grant'(world) {
    const person = await world.person()
    const owner = `person:${person.id}`
    const ada = world.browser(person)
    const held = await world.held(ada, await confidentialClient(world.running), owner)
    const other = await world.held(ada, await publicClient(world.running), owner)
    const order = ['--grant', held.claims.grant ?? '', '--reason', 'the application was reported']
    expect(await world.revoke(...order)).toMatchObject({ issued_before: null, event: expect.any(String) })
    expect(await world.revoke(...order)).toMatchObject({ event: null })
    await world.expectDead(held)
    await world.expectAlive(other)
    await world.held(ada, await confidentialClient(world.running), owner)
  },

  async 'an operator revokes a client that may go on: grantlog revoke --client'(world) {
    const { id, open } = await world.application('Leaky Ledger')
    const [mary, ann] = [await world.person(), await world.person()]
    const held = [
      await world.held(world.browser(mary), await open(), `person:${mary.id}`),
      await world.held(world.browser(ann), await open(), `person:${ann.id}`),
    ]
    const revoked = await world.revoke('--client', id, '--reason', 'its tokens were in a log')
    await world.expectDead(...held)
    // it may go on: what it gets after the cutoff is good
    const left = Number(revoked.issued_before) + 1 - Date.now() / 1000
    await new Promise(resolve => setTimeout(resolve, Math.max(0, left * 1000)))
    await world.held(world.browser(mary), await open(), `person:${mary.id}`)
  },

  async 'an operator deletes a client: it is gone with all that people had allowed it, and nobody gets its id'(
    world,
  ) {
    const { id, open } = await world.application('Gone Ledger')
    const [mary, ann] = [await world.person(), await world.person()]
    const [hers, anns] = [world.browser(mary), world.browser(ann)]
    const held = await world.held(hers, await open(), `person:${mary.id}`)
    const unredeemed = await open()
    const code = await world.approved(anns, unredeemed, `person:${ann.id}`)
    const page = await anns.visitor.open(await (await open()).authorizationUrl('invoices:read'))
    const url = world.url('clients', `/clients/${id}`)
    expect((await world.delete(id)).status).toBe(204)
    expect((await world.delete(id)).status).toBe(404)

    const { accessToken, refreshToken } = held.tokens
    await untilStatus(401, () => world.read(held.tokens))
    for (const token of [accessToken, refreshToken])
      await eventually(async () => expect(await world.isActive(token)).toBe(false))
    const unknown = { error: 'invalid_client' }
    await eventually(() => expect(held.client.refresh(refreshToken)).rejects.toMatchObject(unknown))
    await expect(unredeemed.redeem(code)).rejects.toMatchObject(unknown)

    const refused = await untilStatus(400, async () => world.asked(await open()))
    expect(await refused.text()).toContain('No application is registered under its client_id')
    const answer = { owner: `person:${ann.id}`, decision: 'approve' }
    const answered = await anns.visitor.submit(page, formOf(page, /authorize/), answer)
    expect(answered.status).toBe(400)
    expect(wordsOf(answered)).toContain('No application is registered')
    const grants = await hers.visitor.open(world.url('consent', '/grants'))
    expect(wordsOf(grants)).toContain('Nobody has access')
    expect(wordsOf(grants)).toContain('Gone Ledger')
    expect(grants.html).not.toContain(`${held.claims.grant}/revoke`)

    const reader = { method: 'GET', token: await world.tokenFor('clients:read') }
    expect((await world.send(url, undefined, reader)).status).toBe(404)
    await eventually(async () => {
      const list = await world.send(world.url('clients', '/clients?limit=200'), undefined, reader)
      expect(await list.text()).not.toContain(id)
    })
    const reason = { reason: 'a mistake' }
    expect((await world.send(`${url}/suspend`, reason)).status).toBe(404)
    expect((await world.send(`${url}/reinstate`)).status).toBe(404)
    expect((await world.send(`${url}/revocations`, reason)).status).toBe(404)
    const registration = {
      client_name: 'Another',
      grant_types: ['client_credentials'],
      scope: 'invoices:read',
    }
    expect((await world.send(url, registration, { method: 'PUT' })).status).toBe(404)
    const again = await world.send(world.url('clients', '/clients'), { ...registration, client_id: id })
    expect(again.status).toBe(409)
    expect(await again.text()).toContain('that was deleted had this client_id')
  },

  async 'an operator deletes a client that authenticates: no endpoint believes it, and its devices get nothing'(
    world,
  ) {
    const person = await world.person()
    const devices = await DeviceWorld.create({ ...world.running, demo: { ...world.running.demo, person } })
    const { wire, requests } = devices
    const telly = await devices.client({ token_endpoint_auth_method: 'client_secret_basic' })
    const [allowed, asking] = [await devices.begun(telly), await devices.begun(telly)]
    await devices.ada.answer(allowed)
    const page = await devices.ada.enter(asking.user_code)
    expect((await world.delete(telly.id)).status).toBe(204)

    const form = { token: 'a-token-of-anybody' }
    for (const ask of [
      () => wire.post('/introspect', form, wire.basic(telly)),
      () => wire.post('/revoke', form, wire.basic(telly)),
      () => devices.poll(telly, allowed.device_code),
      () => requests.push(telly),
      () => devices.begin(telly),
    ]) {
      const response = await untilStatus(401, ask)
      expect(await response.json()).toMatchObject({ error: 'invalid_client' })
    }
    expect(wordsOf(await devices.ada.decide(page))).toContain('The application is not registered any more')
    expect(wordsOf(await devices.ada.enter(asking.user_code))).toContain('is not registered any more')
  },

  async 'an operator revokes a family, and a token: grantlog revoke --family, --token'(world) {
    const person = await world.person()
    const owner = `person:${person.id}`
    const ada = world.browser(person)
    const held = await world.held(ada, await confidentialClient(world.running), owner)
    const single = await world.held(ada, await publicClient(world.running), owner)
    await world.revoke('--family', held.claims.family ?? '', '--reason', 'seen at two places')
    await world.revoke('--token', single.claims.jti ?? '', '--reason', 'posted in a forum')
    await world.expectDead(held)
    await untilStatus(401, () => world.read(single.tokens))
    expect(await world.isActive(single.tokens.accessToken)).toBe(false)
    const next = await single.client.refresh(single.tokens.refreshToken)
    expect((await world.read(next)).status).toBe(200)
    await world.held(ada, await confidentialClient(world.running), owner)
  },

  async 'a device that she allowed, and that did not ask since, gets nothing'(world) {
    const person = await world.person()
    const devices = await DeviceWorld.create({ ...world.running, demo: { ...world.running.demo, person } })
    const telly = await devices.client()
    const codes = await devices.begun(telly)
    await devices.ada.decide(await devices.ada.enter(codes.user_code))
    await world.revoke('--owner', person.id, '--reason', 'device lost')
    const refused = await devices.answered(() => devices.poll(telly, codes.device_code))
    expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
  },

  async 'a member is removed: what she approved for the organization ends, and nothing else'(world) {
    const [mary, ann] = [await world.person(), await world.person()]
    const organization = await world.organization(mary, ann)
    const owner = `organization:${organization}`
    const [maryAtWork, annAtWork] = [world.browser(mary), world.browser(ann)]
    const gone = await world.held(maryAtWork, await confidentialClient(world.running), owner)
    const shared = await world.held(annAtWork, await confidentialClient(world.running), owner)
    expect(shared.claims.grant).toBe(gone.claims.grant)
    const stays = await world.held(annAtWork, await publicClient(world.running), owner)
    const hers = await world.held(maryAtWork, await publicClient(world.running), `person:${mary.id}`)
    const member = world.url('consent', `/organizations/${organization}/members/${mary.id}`)
    const remove = async () => (await world.send(member, undefined, { method: 'DELETE' })).json()
    expect(await remove()).toMatchObject({ account_id: mary.id, revoked_grants: 1 })
    expect(await remove()).toMatchObject({ revoked_grants: 0 })
    await world.expectDead(gone, shared)
    await world.expectAlive(stays)
    await world.expectAlive(hers)
    const page = await maryAtWork.visitor.open(
      await (await confidentialClient(world.running)).authorizationUrl('invoices:read'),
    )
    expect(page.html).not.toContain(owner)
    const refused = await maryAtWork.visitor.submit(page, formOf(page, /authorize/), {
      owner,
      decision: 'approve',
    })
    expect(refused).toMatchObject({ status: 400 })
    const anew = await world.held(annAtWork, await confidentialClient(world.running), owner)
    expect(anew.claims.grant).not.toBe(gone.claims.grant)
  },
}

let before: Awaited<ReturnType<typeof lastEvents>>
const lines = ({ running }: RevokeWorld): Promise<LogLine[]> =>
  eventsSince(running.backbone, before, () => true)

describe('revoking', () => {
  let running: OwnSystem
  let world: RevokeWorld
  let outcomes: Map<string, Promise<Error | undefined>>
  beforeAll(async () => {
    running = await startSystem('embedded')
    world = await RevokeWorld.open(running)
    before = await lastEvents(world.running.backbone)
    outcomes = new Map(
      Object.entries(ways).map(([name, way]) => [
        name,
        way(world).then(
          () => undefined,
          (error: Error) => error,
        ),
      ]),
    )
  })
  afterAll(() => running?.stop())

  it.each(Object.keys(ways))('%s', async name => {
    const error = await outcomes.get(name)
    if (error !== undefined) throw error
  })

  it('however much it ended, each of them was one event, which says who did it and why', async () => {
    await Promise.all(outcomes.values())
    const revoked = (await lines(world)).filter(({ type }) => type === 'token.revoked')
    const told = revoked.map(({ data, actor }) => {
      const { target, reason, note } = data as { target: { kind: string }; reason: string; note?: string }
      return `${target.kind} ${reason} ${actor.type} ${note ?? ''}`.trim()
    })
    expect(told.sort()).toEqual([
      'client client-deleted operator',
      'client client-deleted operator',
      'client operator operator its tokens were in a log',
      'family operator operator seen at two places',
      'grant member-removed operator',
      'grant operator operator the application was reported',
      'organization operator operator the company was sold',
      'owner account-suspended operator',
      'owner operator operator device lost',
      'owner operator operator her telephone was stolen',
      'owner owner-revoked person',
      'owner password-changed person',
      'token operator operator posted in a forum',
    ])
  })

  const nobody = '0199aa00-0000-7000-8000-00000000dead'
  const places: [string, 'clients' | 'consent' | 'token', string, object][] = [
    ['an account', 'consent', `/accounts/${nobody}/revocations`, {}],
    ['an organization', 'consent', `/organizations/${nobody}/revocations`, {}],
    ['a grant', 'consent', `/grants/${nobody}/revocations`, {}],
    ['a client', 'clients', '/clients/nobody/revocations', {}],
    ['a family', 'token', '/revocations', { target: { kind: 'family', id: nobody } }],
  ]
  it.each(places)(
    '%s that does not exist is not revoked, nor one without a reason or a right',
    async (_, service, path, body) => {
      const url = world.url(service, path)
      expect((await world.send(url, { ...body, reason: 'a mistake' })).status).toBe(404)
      for (const reason of [undefined, '', 'x'.repeat(201), 'two\nlines'])
        expect((await world.send(url, { ...body, reason })).status).toBe(400)
      const token = await world.tokenFor('accounts:write clients:write revocations:read')
      const refused = await world.send(url, { ...body, reason: 'a mistake' }, { token })
      expect(refused.status).toBe(403)
      expect(refused.headers.get('www-authenticate')).toContain('scope="revocations:write"')
      expect((await fetch(url, { method: 'POST' })).status).toBe(401)
    },
  )

  it('the token service revokes what it owns', async () => {
    const response = await world.send(world.url('token', '/revocations'), {
      target: { kind: 'owner', id: nobody },
      reason: 'a mistake',
    })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('must be token or family')
  })

  it('a form of another browser changes no password, and revokes nothing', async () => {
    const [mary, ann] = [await world.person(), await world.person()]
    const hers = await signedIn(world, mary)
    const other = await signedIn(world, ann)
    for (const [path, form] of [
      ['/grants', /revoke-all/],
      ['/sign-in/password', /password/],
    ] as const) {
      const page = await hers.open(world.url('consent', path))
      const answer = await other.submit(page, formOf(page, form), {
        current: password,
        next: `${password}-2`,
      })
      expect(answer.status).toBe(403)
    }
  })
})

async function signedIn(world: RevokeWorld, { email }: Person): Promise<Visitor> {
  const visitor = new Visitor()
  const page = await visitor.open(world.url('consent', '/sign-in'))
  await visitor.submit(page, formOf(page, /sign-in/), { email, password })
  return visitor
}
