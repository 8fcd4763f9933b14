import { beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningSystem, sharedSystem, untilStatus } from '../running-system.js'
import { bearer, type Material, post, refused, withoutToken, wrongInvoices } from './resource-requests.js'
import { Wire } from './wire.js'

async function expectProblem(response: Response, status: number, says: string) {
  const body = (await response.json()) as Record<string, unknown>
  expect({ answered: response.status, ...body }).toMatchObject({
    answered: status,
    type: 'about:blank',
    status,
    title: expect.any(String),
    detail: expect.stringContaining(says),
  })
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json\b/)
  expect(response.headers.get('cache-control')).toBe('no-store')
  return body
}

describe('the invoices API with wrong input', () => {
  let running: RunningSystem
  let wire: Wire
  let material: Material
  let before: string
  beforeAll(async () => {
    running = await sharedSystem()
    wire = new Wire(running)
    material = {
      read: await wire.tokens(wire.publicClient),
      write: await wire.tokens(wire.confidential, 'invoices:read invoices:write'),
      operator: await wire.operatorToken(),
    }
    before = await invoices()
  })

  const invoices = async () =>
    (
      await untilStatus(200, () => fetch(running.audience, { headers: bearer(material.write.access_token) }))
    ).text()
  const metadataUrl = () =>
    `${running.installation.url('resource')}/.well-known/oauth-protected-resource/invoices`

  it.each(withoutToken)('$name is told that a token is needed, and no error code', async ({ send }) => {
    const response = await send(wire, material)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(
      `Bearer resource_metadata="${metadataUrl()}", DPoP `,
    )
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({ error_description: expect.stringContaining('Bearer') })
  })

  it.each(refused)('$name: $error', async ({ send, status, error, says }) => {
    const response = await send(wire, material)
    const body = await response.json()
    expect({ status: response.status, body }).toEqual({
      status,
      body: { error, error_description: expect.stringContaining(says) },
    })
    const challenge = response.headers.get('www-authenticate') ?? ''
    expect(challenge).toMatch(/^Bearer /)
    expect(challenge).toContain(`error="${error}"`)
    expect(challenge).toContain(`resource_metadata="${metadataUrl()}"`)
    expect(challenge.includes('scope="invoices:write"')).toBe(error === 'insufficient_scope')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it.each(wrongInvoices)('an invoice with $name', async ({ body, status = 400, says, ...row }) => {
    const response = await post(wire, body, {
      ...bearer(material.write.access_token),
      ...(row.contentType !== undefined && { 'content-type': row.contentType }),
    })
    const problem = await expectProblem(response, status, says)
    if (row.pointers) {
      const errors = problem.errors as { pointer: string; detail: string }[]
      expect(errors.map(({ pointer }) => pointer)).toEqual(row.pointers)
      for (const { detail } of errors) expect(detail.length).toBeGreaterThan(5)
    }
  })

  it.each(['x', crypto.randomUUID(), '%00', "' or 1=1 --"])('invoice “%s” is not there', async id => {
    const headers = bearer(material.write.access_token)
    const path = id.replaceAll(' ', '%20')
    await expectProblem(await wire.raw(`${running.audience}/${path}`, 'GET', headers), 404, 'no such invoice')
  })

  it('an invoice of a company is not there for a person’s token', async () => {
    const { company } = running.demo
    // logged: returns when the events of it have their numbers, so that no later test takes them for its own
    const { result: theirs } = await running.logged(() =>
      wire.tokens(wire.publicClient, 'invoices:read', `organization:${company.id}`),
    )
    const response = await fetch(running.audience, { headers: bearer(theirs.access_token) })
    const { owner, invoices } = (await response.json()) as { owner: object; invoices: { id: string }[] }
    expect(owner).toEqual({ kind: 'organization', id: company.id })
    const one = `${running.audience}/${invoices[0]?.id}`
    expect((await fetch(one, { headers: bearer(theirs.access_token) })).status).toBe(200)
    await expectProblem(
      await fetch(one, { headers: bearer(material.read.access_token) }),
      404,
      'no such invoice',
    )
  })

  it('a path that can not be decoded is refused', async () => {
    const headers = bearer(material.read.access_token)
    await expectProblem(await wire.raw(`${running.audience}/%ff`, 'GET', headers), 400, 'path of the URL')
  })

  it.each(['PUT', 'PATCH', 'DELETE'])('%s /invoices is not allowed', async method => {
    const response = await fetch(running.audience, { method, headers: bearer(material.write.access_token) })
    await expectProblem(response, 405, `${method} is not allowed`)
    expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'POST'])
  })

  it.each(['POST', 'DELETE'])('%s on the metadata document is not allowed', async method => {
    const response = await fetch(metadataUrl(), { method })
    await expectProblem(response, 405, `${method} is not allowed`)
    expect(response.headers.get('allow')).toBe('GET')
  })

  it('the metadata document is for everybody and names what is true (RFC 9728 §2)', async () => {
    const response = await fetch(metadataUrl(), { headers: bearer('made-up') })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      resource: running.audience,
      authorization_servers: [running.installation.url('token')],
      scopes_supported: ['invoices:read', 'invoices:write'],
      bearer_methods_supported: ['header'],
      // each is used at this API in standards/dpop.e2e.spec.ts and libs/oauth/src/dpop.spec.ts
      dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
      resource_name: expect.any(String),
    })
  })

  it('changed no invoice, appended nothing to any log', async () => {
    const { log } = await running.logged(async () => {
      await Promise.all([...withoutToken, ...refused].map(({ send }) => send(wire, material)))
      const headers = bearer(material.write.access_token)
      await Promise.all(wrongInvoices.map(({ body }) => post(wire, body, headers)))
    })
    expect(log).toEqual([])
    expect(await invoices()).toBe(before)
  })

  it('wrote no secret into any service’s log', async () => {
    expect(await wire.leaks()).toEqual({})
  })
})
