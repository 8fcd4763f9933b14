import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { environmentOf } from '@grantlog/launcher'
import { eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { Wire } from './bad-input/wire.js'
import { type OwnSystem, startSystem, untilStatus } from './running-system.js'

const program = join(import.meta.dirname, '../../apps/cli/dist/main.js')

describe('the signing keys of a running system', () => {
  let running: OwnSystem
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

  describe('of an API’s own algorithm', () => {
    const operated = async (path: string, method: 'POST' | 'PUT', body: object) => {
      const response = await fetch(`${running.installation.url('clients')}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await wire.operatorToken()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      })
      const answer = (await response.json()) as Record<string, string>
      if (!response.ok) throw new Error(JSON.stringify(answer))
      return answer
    }
    const anApi = (name: string) => ({
      audience: `https://api.example/${name}`,
      name,
      scopes: [{ name: `${name}:read`, text: 'Read it', access: 'read' }],
    })

    it.each(['ES256', 'EdDSA', 'PS256', 'RS256'])(
      '%s sign its tokens: jose, introspection and revocation read them',
      async algorithm => {
        const name = `api-${algorithm.toLowerCase()}`
        const api = await operated('/apis', 'POST', {
          ...anApi(name),
          api_id: name,
          access_token_alg: algorithm,
        })
        expect(api.access_token_alg).toBe(algorithm)
        const client = await operated('/clients', 'POST', {
          client_name: name,
          grant_types: ['client_credentials'],
          scope: `${name}:read`,
        })
        const credentials = wire.basic({ id: client.client_id ?? '', secret: client.client_secret ?? '' })
        const answer = await untilStatus(200, () =>
          wire.post('/token', { grant_type: 'client_credentials' }, credentials),
        )
        const token = (await wire.granted(answer)).access_token
        const { protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(wire.url('/jwks'))), {
          algorithms: [algorithm],
          audience: `https://api.example/${name}`,
          issuer: running.installation.url('token'),
          typ: 'at+jwt',
        })
        expect(protectedHeader.alg).toBe(algorithm)
        const introspect = async () => (await wire.post('/introspect', { token }, credentials)).json()
        expect(await introspect()).toMatchObject({ active: true, client_id: client.client_id })
        expect((await wire.post('/revoke', { token }, credentials)).status).toBe(200)
        expect(await introspect()).toEqual({ active: false })
      },
    )

    it('is followed when it changes: codes and refresh tokens give the new one, and the API accepts it', async () => {
      const before = await wire.tokens(wire.confidential)
      expect(decodeProtectedHeader(before.access_token).alg).toBe('ES256')
      const registered = (access_token_alg: string) => ({
        audience: running.audience,
        name: 'Invoices',
        scopes: ['read', 'write'].map(access => ({
          name: `invoices:${access}`,
          text: `${access} invoices`,
          access,
        })),
        access_token_alg,
      })
      await operated('/apis/invoices', 'PUT', registered('PS256'))

      let refreshToken = before.refresh_token
      const refreshed = await eventually(async () => {
        const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
        const tokens = await wire.granted(await wire.post('/token', form, wire.basic(wire.confidential)))
        refreshToken = tokens.refresh_token
        expect(decodeProtectedHeader(tokens.access_token).alg).toBe('PS256')
        return tokens
      })
      const granted = await wire.tokens(wire.publicClient)
      expect(decodeProtectedHeader(granted.access_token).alg).toBe('PS256')
      for (const { access_token } of [refreshed, granted])
        await untilStatus(200, () => invoices(access_token))
      expect((await invoices(before.access_token)).status).toBe(200)
      await operated('/apis/invoices', 'PUT', registered('ES256'))
    })
  })

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
      expect(listed).toContainEqual(
        expect.objectContaining({ state: 'active', key_id: decodeProtectedHeader(after.access_token).kid }),
      )
      expect(listed).not.toContainEqual(expect.objectContaining({ key_id: kid }))
    })
  })
})
