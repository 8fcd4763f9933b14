import { beforeAll, describe, expect, it } from '@jest/globals'
import { type RunningSystem, sharedSystem } from '../running-system.js'
import { anyGrant, clientAuthentication } from './token-any-grant.js'
import { authorizationCode, clientCredentials, refreshToken } from './token-each-grant.js'
import type { Material } from './token-requests.js'
import { expectRefusal, Wire, type Wrong } from './wire.js'

const tables: readonly [string, readonly Wrong<Material>[]][] = [
  ['whatever the grant type', anyGrant],
  ['client authentication', clientAuthentication],
  ['authorization_code', authorizationCode],
  ['refresh_token', refreshToken],
  ['client_credentials', clientCredentials],
]

describe('POST /token with wrong input', () => {
  let running: RunningSystem
  let wire: Wire
  let material: Material
  beforeAll(async () => {
    running = await sharedSystem()
    wire = new Wire(running)
    material = {
      tokens: await wire.tokens(wire.confidential),
      foreign: await wire.tokens(wire.publicClient),
      foreignCode: await wire.authorize(wire.publicClient),
      code: await wire.authorize(wire.confidential),
    }
  })

  for (const [title, rows] of tables) {
    describe(title, () => {
      it.each(rows)('$name', async row => {
        await expectRefusal(await row.send(wire, material), row)
      })
    })
  }

  it('appended nothing to any log', async () => {
    const all = tables.flatMap(([, rows]) => rows)
    const { log } = await running.logged(() => Promise.all(all.map(row => row.send(wire, material))))
    expect(log).toEqual([])
  })

  it('took nothing from the code and the refresh token: the right requests still succeed', async () => {
    const redeemed = await wire.redeem(wire.confidential, material.code)
    expect(redeemed).toMatchObject({ scope: 'invoices:read', token_type: 'Bearer' })
    const { refresh_token } = material.tokens
    const form = { grant_type: 'refresh_token', refresh_token }
    // RFC 6749 Appendix B names no charset parameter, and clients send one all the same
    const response = await wire.post('/token', form, {
      ...wire.basic(wire.confidential),
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    })
    // RFC 6749 §5.1: both headers, "in any response containing tokens"
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
    })
    expect((await wire.granted(response)).refresh_token).not.toBe(refresh_token)
  })

  it('wrote no secret into any service’s log', async () => {
    expect(await wire.leaks()).toEqual({})
  })
})
