import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { environmentOf } from '@grantlog/launcher'
import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import { Wire } from './bad-input/wire.js'
import { type RunningSystem, startSystem, untilStatus } from './running-system.js'

const program = join(import.meta.dirname, '../../apps/cli/dist/main.js')

describe('the signing keys of a running system', () => {
  let running: RunningSystem
  let wire: Wire
  beforeAll(async () => {
    running = await startSystem('embedded')
    wire = new Wire(running)
  })
  afterAll(() => running?.stop())

  /** The operator’s program, with the environment of the token service. */
  async function grantlog(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
      cwd: tmpdir(),
      env: environmentOf('token', running.installation, running.backbone),
    })
    return stdout
  }
  const invoices = (token: string) =>
    fetch(running.audience, { headers: { authorization: `Bearer ${token}` } })
  const introspected = async (token: string) => {
    const answer = await wire.post('/introspect', { token }, wire.basic(wire.confidential))
    return (await answer.json()) as { active: boolean }
  }
  const publishedKids = async () => {
    const { keys } = (await (await fetch(wire.url('/jwks'))).json()) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  }

  describe('when one is compromised', () => {
    it('everything that it signed is refused everywhere, who refreshes goes on, and the key is gone', async () => {
      const before = await wire.tokens(wire.confidential)
      const { kid = '' } = decodeProtectedHeader(before.access_token)
      expect((await invoices(before.access_token)).status).toBe(200)
      expect(await introspected(before.access_token)).toMatchObject({ active: true })

      const { result, log } = await running.logged(() =>
        grantlog('keys', 'compromise', kid, '--reason', 'a drill'),
      )
      expect(result).toMatch(/^Everything that .{43} signed is revoked\. From now on .{43} signs\.\n$/)
      expect(log.map(({ type }) => type)).toEqual([
        'key.compromised',
        'token.revoked',
        'key.announced',
        'key.activated',
      ])

      const refused = await untilStatus(401, () => invoices(before.access_token))
      expect(await refused.json()).toMatchObject({ error: 'invalid_token' })
      await eventually(async () => {
        expect(await introspected(before.access_token)).toEqual({ active: false })
        expect(await publishedKids()).not.toContain(kid)
      })
      const form = { grant_type: 'refresh_token', refresh_token: before.refresh_token }
      const after = await wire.granted(await wire.post('/token', form, wire.basic(wire.confidential)))
      expect(decodeProtectedHeader(after.access_token).kid).not.toBe(kid)
      // an API that read the keys a moment ago reads them again for the one that it does not know
      await untilStatus(200, () => invoices(after.access_token))
      // the services’ own operators’ interfaces know the keys from events
      const operator = await wire.operatorToken()
      const clients = `${running.installation.url('clients')}/clients`
      await untilStatus(200, () => fetch(clients, { headers: { authorization: `Bearer ${operator}` } }))
      await expect(grantlog('keys', 'compromise', kid)).rejects.toThrow(
        `There is no signing key ${kid} that still counts`,
      )
      const listed = JSON.parse(await grantlog('keys', 'list', '--json')) as Record<string, string>[]
      expect(listed).toEqual([
        expect.objectContaining({ state: 'active', key_id: decodeProtectedHeader(after.access_token).kid }),
      ])
    })
  })
})
