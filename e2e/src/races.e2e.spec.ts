import { setTimeout } from 'node:timers/promises'
import { formOf } from '@grantlog/demonstration'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient, publicClient, refreshUntilRefused, type TestClient } from './clients.js'
import { RevokeWorld } from './revoke-world.js'
import { Ada, type RunningSystem, sharedSystem, untilStatus } from './running-system.js'

describe('one-time things presented fifty times at once', () => {
  let running: RunningSystem
  beforeAll(async () => {
    running = await sharedSystem()
  })

  const parallel = <T>(work: () => Promise<T>) => Promise.allSettled(Array.from({ length: 50 }, work))
  const read = (accessToken: string) =>
    fetch(running.audience, { headers: { authorization: `Bearer ${accessToken}` } })

  it('a code: one redemption succeeds, the family is revoked, the log says why', async () => {
    const client = await confidentialClient(running)
    const callback = await new Ada(running).answer(
      await client.authorizationUrl('invoices:read'),
      client.redirectUri,
    )
    const { result, log } = await running.logged(() => parallel(() => client.redeem(callback)))

    const redeemed = result.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const refused = result.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(redeemed).toHaveLength(1)
    expect(refused.map(reason => reason.error)).toEqual(Array(49).fill('invalid_grant'))
    const ofToken = log.filter(line => line.source === 'token')
    expect(ofToken.map(line => line.type)).toEqual([
      'code.redeemed',
      'token.issued',
      'code.replayed',
      'token.revoked',
    ])
    expect(ofToken.at(-1)?.data).toMatchObject({ target: { kind: 'family' }, reason: 'code-replayed' })
    await untilStatus(401, () => read(redeemed[0]?.accessToken ?? ''))
  })

  it('a refresh token of a confidential client: all succeed, with one successor, and nobody is logged out', async () => {
    const client = await confidentialClient(running)
    const callback = await new Ada(running).answer(
      await client.authorizationUrl('invoices:read'),
      client.redirectUri,
    )
    const { refreshToken } = await client.redeem(callback)
    const { result, log } = await running.logged(() =>
      Promise.all(Array.from({ length: 100 }, () => client.refresh(refreshToken))),
    )
    expect(new Set(result.map(tokens => tokens.refreshToken)).size).toBe(1)
    expect(new Set(result.map(tokens => tokens.accessToken)).size).toBe(100)
    expect(log.map(({ type }) => type)).toEqual(Array(100).fill('token.issued'))
    expect(log.filter(({ data }) => data.refresh !== undefined)).toHaveLength(1)
    const [one] = result
    await client.refresh(one?.refreshToken ?? '')
    expect((await client.refresh(refreshToken)).refreshToken).toBe(one?.refreshToken) // its answer came late
    expect((await read(result[57]?.accessToken ?? '')).status).toBe(200)
  })

  it('a refresh token of a public client that proves nothing: one refresh succeeds, the family is revoked, the log says why', async () => {
    const client = await publicClient(running)
    const callback = await new Ada(running).answer(
      await client.authorizationUrl('invoices:read'),
      client.redirectUri,
    )
    const { refreshToken } = await client.redeem(callback)
    const { result, log } = await running.logged(() => parallel(() => client.refresh(refreshToken)))

    const refreshed = result.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const refused = result.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(refreshed).toHaveLength(1)
    expect(refused.map(reason => reason.error)).toEqual(Array(49).fill('invalid_grant'))
    expect(log.map(line => line.type)).toEqual(['token.issued', 'refresh.replayed', 'token.revoked'])
    expect(log.at(-1)?.data).toMatchObject({ target: { kind: 'family' }, reason: 'refresh-replayed' })
    await expect(client.refresh(refreshed[0]?.refreshToken ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await untilStatus(401, () => read(refreshed[0]?.accessToken ?? ''))
  })
  describe('with the public client, over HTTP', () => {
    const refresh = (refresh_token: string, key?: string) =>
      fetch(`${running.installation.url('token')}/token`, {
        method: 'POST',
        ...(key !== undefined && { headers: { 'idempotency-key': key } }),
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token,
          client_id: running.demo.publicClient.id,
        }),
      })
    const refreshTokenOf = async (client: TestClient) => {
      const callback = await new Ada(running).answer(
        await client.authorizationUrl('invoices:read'),
        client.redirectUri,
      )
      return (await client.redeem(callback)).refreshToken
    }
    const successor = async (response: Response) =>
      ((await response.json()) as { refresh_token?: string }).refresh_token
    const key = 'a-key-that-nobody-can-guess'

    it('a refresh token with the same Idempotency-Key: all succeed, with one successor; with another one, it is theft', async () => {
      const refreshToken = await refreshTokenOf(await publicClient(running))
      const answers = await Promise.all(Array.from({ length: 100 }, () => refresh(refreshToken, key)))
      const successors = new Set(await Promise.all(answers.map(successor)))
      expect([...successors]).toEqual([expect.any(String)])
      const { result, log } = await running.logged(() => refresh(refreshToken, `${key}-2`))
      expect(result.status).toBe(400)
      expect(log.map(line => line.type)).toEqual(['refresh.replayed', 'token.revoked'])
      expect((await refresh([...successors][0] ?? '', key)).status).toBe(400)
    })

    it('a key that could be guessed proves nothing', async () => {
      const refreshToken = await refreshTokenOf(await publicClient(running))
      expect((await refresh(refreshToken, 'guess')).status).toBe(200)
      expect((await refresh(refreshToken, 'guess')).status).toBe(400)
    })

    it('a refresh token of another client is theft: its family is revoked', async () => {
      const client = await confidentialClient(running)
      const refreshToken = await refreshTokenOf(client)
      const { result, log } = await running.logged(() => refresh(refreshToken, key))
      expect(await result.json()).toMatchObject({ error: 'invalid_grant' })
      expect(log).toMatchObject([
        { type: 'refresh.replayed' },
        { type: 'token.revoked', data: { target: { kind: 'family' }, reason: 'refresh-replayed' } },
      ])
      await expect(client.refresh(refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' })
      // one that was made up of a family's id ends nothing
      const other = await refreshTokenOf(client)
      const madeUp = `${other.split('.')[0]}.${'x'.repeat(43)}`
      expect((await running.logged(() => refresh(madeUp))).log).toEqual([])
      expect((await client.refresh(other)).refreshToken).toEqual(expect.any(String))
    })
  })
})

describe('an approval for an organization, and the removal of who approves, at once', () => {
  it('leave no token that counts, whichever comes first', async () => {
    const world = await RevokeWorld.open(await sharedSystem())
    const members = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const [person, client] = [await world.person(), await confidentialClient(world.running)]
        const organization = await world.organization(person)
        const { visitor } = world.browser(person)
        const signIn = await visitor.open(await client.authorizationUrl('invoices:read'), client.redirectUri)
        const { email, password } = person
        const page = await visitor.submit(signIn, formOf(signIn, /sign-in/), { email, password })
        const member = world.url('consent', `/organizations/${organization}/members/${person.id}`)
        return {
          client,
          approve: () =>
            visitor.submit(
              page,
              formOf(page, /authorize/),
              { decision: 'approve', owner: `organization:${organization}` },
              client.redirectUri,
            ),
          remove: async () => {
            await setTimeout(index * 2) // so that some come first, and some come second
            return world.send(member, undefined, { method: 'DELETE' })
          },
        }
      }),
    )
    const answers = await Promise.all(
      members.map(async ({ client, approve, remove }) => {
        const [answer, removed] = await Promise.all([approve(), remove()])
        expect(removed.status).toBe(200)
        const url = new URL(answer.url)
        return { client, url, approved: url.searchParams.has('code') }
      }),
    )
    for (const { client, url } of answers.filter(({ approved }) => approved)) {
      const tokens = await client.redeem(url).catch((error: { error?: string }) => error)
      if (!('accessToken' in tokens)) {
        expect(tokens.error).toBe('invalid_grant')
        continue
      }
      await untilStatus(401, () => world.read(tokens))
      await expect(refreshUntilRefused(client, tokens.refreshToken)).resolves.toMatchObject({
        error: 'invalid_grant',
      })
    }
  })
})
