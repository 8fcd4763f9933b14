import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, kafkaAvailable } from '@grantlog/servers'
import { describeWhere } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { buildImages, imageOf, targets } from '../images/images.js'
import { ensureNames, Podman, podmanAvailable } from '../images/podman.js'
import { readComposition } from './composition.js'
import { dockerComposeAvailable } from './docker-compose.js'
import { Installation } from './installation.js'
import { thirdPartyImages } from './stand-ins.js'

const minutes = 60_000
const text = await readFile(join(import.meta.dirname, '../../../docker-compose.yml'), 'utf8')
const composition = readComposition(text)
const services = ['clients', 'consent', 'token', 'resource', 'sample-client']
const available = [podmanAvailable(), dockerComposeAvailable(), kafkaAvailable()].find(({ ok }) => !ok) ?? {
  ok: true,
}

/** It takes minutes: whoever changes what it is about asks for it. */
const asked = process.env.COMPOSE === 'true'
const describeIfAsked: typeof describeWhere = (where, name, specs) =>
  asked ? describeWhere(where, name, specs) : describe.skip(`${name} (COMPOSE=true runs it)`, specs)

describeIfAsked(available, 'docker compose', () => {
  let folder: string
  let port: number
  let installation: Installation

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'grantlog-compose-'))
    await chmod(folder, 0o755)
    await ensureNames()
    const podman = await Podman.open(folder)
    const base = await buildImages(podman)
    for (const target of targets) await podman.run('tag', imageOf(target), `localhost/grantlog-${target}:dev`)
    port = await freePort()
    installation = await Installation.open(podman, {
      ...(await thirdPartyImages(podman, base, text)),
      GRANTLOG_REGISTRY: 'localhost/',
      GRANTLOG_PORT: String(port),
    })
  }, 25 * minutes)
  afterAll(async () => {
    await installation?.remove()
    await rm(folder, { recursive: true, force: true })
  }, minutes)

  it(
    'starts everything, and ends with the proof',
    async () => {
      await installation.up()
      expect(await installation.words('proof')).toMatch(/denied .* 401 invalid_token[\s\S]*proved$/)
    },
    5 * minutes,
  )

  it('is reached as one issuer, by TLS of its own authority', async () => {
    const authority = await installation.inside('resource', 'cat', '/trust/root.crt')
    const get = (host: string, path: string) => getByTls(host, port, path, authority)
    const metadata = await get('auth.grantlog.localhost', '/.well-known/oauth-authorization-server')
    expect(JSON.parse(metadata.body)).toMatchObject({ issuer: `https://auth.grantlog.localhost:${port}` })
    expect(await get('app.grantlog.localhost', '/')).toMatchObject({ status: 200 })
    expect(await get('api.grantlog.localhost', '/invoices')).toMatchObject({ status: 401 })
    expect(await get('auth.grantlog.localhost', '/health/ready')).toMatchObject({ status: 404 })
  })

  it.each(services)('%s sees its own secrets, finds no other service, and writes nothing', async name => {
    const { environment = {} } = composition.services[name] ?? {}
    const files = Object.values(environment).filter(value => value.startsWith('/secrets/'))
    const seen = `
      const { readdirSync, writeFileSync } = require('node:fs')
      const { lookup } = require('node:dns/promises')
      const there = async name => (await lookup(name).then(() => [name], () => []))
      Promise.all(${JSON.stringify([...services, 'postgres', 'caddy'])}.map(there)).then(found => {
        const written = ['/x', '/app/x', '/secrets/x'].filter(path => { try { writeFileSync(path, ''); return true } catch { return false } })
        console.log(JSON.stringify({ found: found.flat(), files: readdirSync('/secrets').map(file => '/secrets/' + file), written }))
      })`
    const { found, files: there, written } = JSON.parse(await installation.inside(name, 'node', '-e', seen))
    expect(found).toEqual([name, ...(name === 'sample-client' ? [] : ['postgres']), 'caddy'])
    expect(there.toSorted()).toEqual(files.toSorted())
    expect(written).toEqual([])
  })

  it(
    'starts again with what it has',
    async () => {
      await installation.compose('down', '--timeout=30')
      await installation.up()
      expect(await installation.words('secrets')).toBe('nothing was missing')
      expect(await installation.words('topics')).toBe('nothing was missing\nnothing was missing')
      expect(await installation.words('invoices')).toBe('0 invoices')
      expect(await installation.words('proof')).toMatch(/proved$/)
    },
    5 * minutes,
  )

  it(
    'says by its exit code that the proof failed',
    async () => {
      await installation.compose('down', '--timeout=30')
      const unproved = join(folder, 'unproved.yml')
      await writeFile(unproved, 'services: { proof: { command: [demo, prove, --demo, /nowhere] } }\n')
      await expect(installation.up(unproved)).rejects.toThrow(/"proof" didn't complete successfully: exit 2/)
    },
    5 * minutes,
  )
})

/** A host of this machine, whatever its resolver says. */
function getByTls(
  host: string,
  port: number,
  path: string,
  ca: string,
): Promise<{ status?: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      ca,
      servername: host,
      headers: { host: `${host}:${port}` },
    }
    request(options, response => {
      let body = ''
      response.on('data', (data: Buffer) => {
        body += data.toString()
      })
      response.on('end', () => resolve({ ...(response.statusCode && { status: response.statusCode }), body }))
    })
      .on('error', reject)
      .end()
  })
}
