import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { ServiceName } from '@grantlog/launcher'
import { eventually, server as identity } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tokens, Wire } from './bad-input/wire.js'
import { type Endpoints, startEndpoints } from './endpoints.js'
import { type OwnSystem, startSystem } from './running-system.js'
import { dpopProof, newKey } from './standards/request-world.js'
import { TlsProxy } from './tls-proxy.js'

const ofConsent = /^\/(authorize|par|device_authorization|sign-in|sign-out|grants|device|positions)(\/|$)/
const ofResource = /^\/(invoices|status|\.well-known\/oauth-protected-resource)(\/|$)/
const certificates = getCACertificates('default')

describe('behind a proxy that ends TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'grantlog-proxy-'))
  let proxy: TlsProxy
  let inside: OwnSystem
  /** Everything as the world sees it: at one host. */
  let wire: Wire
  const instances: Endpoints[] = []

  beforeAll(async () => {
    const authority = join(folder, 'authority.pem')
    writeFileSync(authority, identity.certificate)
    setDefaultCACertificates([...certificates, identity.certificate])
    proxy = await TlsProxy.open()
    const { url } = proxy
    const common = { ISSUER: url, TRUSTED_PROXIES: '127.0.0.1', NODE_EXTRA_CA_CERTS: authority }
    inside = await startSystem('embedded', {
      clients: common,
      consent: { ...common, PUBLIC_URL: url },
      token: {
        ...common,
        AUTHORIZATION_ENDPOINT: `${url}/authorize`,
        PUSHED_AUTHORIZATION_REQUEST_ENDPOINT: `${url}/par`,
        DEVICE_AUTHORIZATION_ENDPOINT: `${url}/device_authorization`,
      },
      resource: { ...common, PUBLIC_URL: url },
      'sample-client': common,
    })
    const { ports } = inside.installation
    proxy.route = path =>
      ofConsent.test(path) ? ports.consent : ofResource.test(path) ? ports.resource : ports.token
    const { installation: own } = inside
    const publicUrl = (name: ServiceName) => (name === 'sample-client' ? own.url(name) : url)
    const installation = Object.create(own, { url: { value: publicUrl } })
    wire = new Wire({ ...inside, installation })
  })
  afterAll(async () => {
    await Promise.all(instances.map(instance => instance.stop()))
    await inside?.stop()
    proxy?.close()
    setDefaultCACertificates(certificates)
    rmSync(folder, { recursive: true })
  })

  it('the metadata names the public URLs, whatever host a request says', async () => {
    const path = '/.well-known/oauth-authorization-server'
    const told = await (await fetch(`${proxy.url}${path}`)).json()
    const urls = Object.entries(told as Record<string, unknown>).filter(([name]) =>
      /^issuer$|_endpoint$|_uri$/.test(name),
    )
    expect(urls.length).toBeGreaterThan(6)
    for (const [, url] of urls) expect(url).toMatch(new RegExp(`^${proxy.url}(/[a-z_]+)?$`))

    const direct = `${inside.installation.url('token')}${path}`
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example;proto=http',
    }
    expect(await (await wire.raw(direct, 'GET', headers)).json()).toEqual(told)
  })

  it('cookies are for this host and TLS only, and every answer says that TLS is for good', async () => {
    const answer = await fetch(`${proxy.url}/sign-in`, { redirect: 'manual' })
    const [cookie] = answer.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-grantlog=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000')
  })

  it('a stranger who says https is not believed', async () => {
    const alone = await startEndpoints('token', inside, { TRUSTED_PROXIES: '192.0.2.1' })
    instances.push(alone)
    const headers = { 'x-forwarded-proto': 'https' }
    const seen = await fetch(`${alone.url}/jwks`, { headers })
    expect(seen.headers.get('strict-transport-security')).toBeNull()
    const trusted = await fetch(`${inside.installation.url('token')}/jwks`, { headers })
    expect(trusted.headers.get('strict-transport-security')).not.toBeNull()
  })

  describe('the main job, with DPoP', () => {
    const key = newKey()
    let tokens: Tokens
    const read = (token: string, url: string) => {
      const ath = createHash('sha256').update(token).digest('base64url')
      const dpop = dpopProof(url, key, { htm: 'GET', ath })
      return fetch(`${proxy.url}/invoices`, { headers: { authorization: `DPoP ${token}`, dpop } })
    }

    it('a person allows it, the answer names the issuer, and proofs name the public URL', async () => {
      const client = wire.publicClient
      let callback: URL | undefined
      const answer = wire.ada.answer.bind(wire.ada)
      wire.ada.answer = async (...asked) => {
        callback = await answer(...asked)
        return callback
      }
      const code = await wire.authorize(client)
      expect(callback?.searchParams.get('iss')).toBe(proxy.url) // RFC 9207 §2
      const redeem = (dpop: string) => wire.post('/token', wire.redemption(client, code), { dpop })

      const asked = await redeem(dpopProof(`${proxy.url}/token`, key))
      const nonce = asked.headers.get('dpop-nonce') ?? ''
      const internal = `${inside.installation.url('token')}/token`
      const refused = await redeem(dpopProof(internal, key, { nonce }))
      expect(await refused.json()).toMatchObject({ error: 'invalid_dpop_proof' })
      tokens = await wire.granted(await redeem(dpopProof(`${proxy.url}/token`, key, { nonce })))
      const [, claims = ''] = tokens.access_token.split('.')
      expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: proxy.url })
    })

    it('the API takes the public URL in proofs, and no other', async () => {
      expect((await read(tokens.access_token, `${proxy.url}/invoices`)).status).toBe(200)
      const internal = await read(tokens.access_token, `${inside.installation.url('resource')}/invoices`)
      expect(internal.status).toBe(401)
    })

    it('RFC 9728 §5.1: who has no token is told where the metadata is, at the public host', async () => {
      const refused = await fetch(`${proxy.url}/invoices`, {
        headers: { 'x-forwarded-host': 'evil.example' },
      })
      expect(refused.status).toBe(401)
      const [, where = ''] =
        /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? []
      expect(where).toBe(`${proxy.url}/.well-known/oauth-protected-resource/invoices`)
      expect(await (await fetch(where)).json()).toMatchObject({ authorization_servers: [proxy.url] })
    })
  })

  describe('the address of who asks', () => {
    /** Posts from this machine, by IPv4 or IPv6, with what proxies have told. */
    const post = (instance: Endpoints, host: string, forwarded: string) =>
      new Promise<number>((resolve, reject) => {
        const headers = {
          'content-type': 'application/x-www-form-urlencoded',
          'x-forwarded-for': forwarded,
        }
        const sent = httpRequest(
          { host, port: instance.port, path: '/token', method: 'POST', headers },
          answer => resolve(answer.resume().statusCode ?? 0),
        )
        sent.on('error', reject).end(
          new URLSearchParams({
            grant_type: 'refresh_token',
            refresh_token: 'x',
            client_id: wire.publicClient.id,
          }).toString(),
        )
      })
    const untilRefused = async (send: (n: number) => Promise<number>) => {
      for (let n = 0; n < 200; n++) if ((await send(n)) === 429) return
      throw new Error('Never refused')
    }
    let instance: Endpoints
    beforeAll(async () => {
      const settings = { HOST: '::', ADDRESS_RATE: '1', TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8,fd00::/8' }
      instance = await startEndpoints('token', inside, settings)
      instances.push(instance)
    })

    it('two trusted hops: what stands before the last stranger is nobody’s word', async () => {
      await untilRefused(n => post(instance, '127.0.0.1', `198.51.100.${n}, 203.0.113.9, 10.1.2.3`))
      expect(await post(instance, '127.0.0.1', '203.0.113.9, 192.0.2.1, 10.1.2.3')).toBe(400)
      await eventually(async () => expect(await instance.log()).toContain('address-rate of 203.0.113.9'))
    })

    it('the hop between is IPv6, and so is who asks', async () => {
      await untilRefused(n => post(instance, '127.0.0.1', `198.51.100.${n}, 2001:db8:1:2::${n + 1}, fd00::7`))
      expect(await post(instance, '127.0.0.1', '2001:db8:1:3::1, fd00::7')).toBe(400)
    })

    it('a hop that nobody named is who asks, and so is what is no address', async () => {
      await untilRefused(n => post(instance, '127.0.0.1', `192.0.2.${n}, 198.51.100.77`))
      await untilRefused(n => post(instance, '127.0.0.1', `192.0.2.${n}, unknown, 10.1.2.3`))
      expect(await post(instance, '127.0.0.1', '192.0.2.200')).toBe(400)
    })

    it('by IPv6 comes one who is not named, and says what it wants', async () => {
      await untilRefused(n => post(instance, '::1', `192.0.2.${n}`))
    })
  })
})
