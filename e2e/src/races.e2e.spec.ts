import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient } from './clients.js'
import { Ada, type RunningSystem, startSystem, untilStatus } from './running-system.js'

describe('one-time things presented fifty times at once', () => {
  let running: RunningSystem
  beforeAll(async () => {
    running = await startSystem('embedded')
  })
  afterAll(() => running?.stop())

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

  it('a refresh token: one refresh succeeds, the family is revoked, the log says why', async () => {
    const client = await confidentialClient(running)
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
    expect(log.map(line => line.type)).toEqual([
      'refresh.rotated',
      'token.issued',
      'refresh.replayed',
      'token.revoked',
    ])
    expect(log.at(-1)?.data).toMatchObject({ target: { kind: 'family' }, reason: 'refresh-replayed' })
    await expect(client.refresh(refreshed[0]?.refreshToken ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await untilStatus(401, () => read(refreshed[0]?.accessToken ?? ''))
  })
})
