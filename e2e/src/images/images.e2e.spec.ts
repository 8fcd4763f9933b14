import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Backbone,
  createDemo,
  databaseNames,
  environmentOf,
  Installation,
  memoryEnv,
  migrationEnvironment,
  nodeOptions,
  prove,
  type ServiceName,
  silence,
  startBackbone,
  temporary,
} from '@grantlog/launcher'
import { describeWhere, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Container, migrate, runContainer, startContainer } from './container.js'
import { hadolint, hadolintAvailable } from './hadolint.js'
import { buildImages, imageOf, targets } from './images.js'
import { beginRequest } from './in-flight.js'
import { Podman, podmanAvailable } from './podman.js'

const minutes = 60_000
const dockerfile = await readFile(join(import.meta.dirname, '../../../Dockerfile'), 'utf8')

describeWhere(hadolintAvailable(), 'hadolint reads the Dockerfile', () => {
  it('and finds nothing', async () => {
    expect(await hadolint(dockerfile)).toEqual([])
  })

  it.each(targets)('and finds that %s would run as root', async target => {
    const planted = dockerfile.replace(`COPY --from=build /images/${target} ./`, '$&\nUSER root')
    expect(planted).not.toBe(dockerfile)
    expect(await hadolint(planted)).toEqual([expect.stringContaining('Last USER should not be root')])
  })
})

describeWhere(podmanAvailable(), 'the images, built without a daemon', () => {
  let folder: string
  let podman: Podman
  let base: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'grantlog-images-'))
    await chmod(folder, 0o755)
    podman = await Podman.open(folder)
    base = await buildImages(podman)
  }, 15 * minutes)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const inspect = async (image: string) => {
    const [found] = JSON.parse(await podman.run('image', 'inspect', image)) as {
      Size: number
      Config: { User: string; Env: string[]; Cmd: string[]; Healthcheck?: { Test: string[] } }
    }[]
    if (found === undefined) throw new Error(`There is no image ${image}`)
    return found
  }

  describe.each(targets)('%s', target => {
    it('runs as nobody in particular, as npm start runs its processes, and is small', async () => {
      const { Size, Config } = await inspect(imageOf(target))
      expect(Config.User).toBe('1000:1000')
      // what the variable may not hold stands in the command line; the CLI does without
      const [variable = ''] = Config.Env.filter(each => each.startsWith('NODE_OPTIONS='))
      const options = [...variable.slice('NODE_OPTIONS='.length).split(' '), ...Config.Cmd.slice(1, -1)]
      expect(nodeOptions).toEqual(expect.arrayContaining(options))
      if (target !== 'cli') expect(options).toHaveLength(nodeOptions.length)
      for (const [name, value] of Object.entries(memoryEnv)) expect(Config.Env).toContain(`${name}=${value}`)
      expect(Config.Env).toContain('NODE_ENV=production')
      const over = Size - (await inspect(base)).Size
      process.stdout.write(`  ${target}: ${Math.round(over / 1e6)} MB over its base\n`)
      expect(over).toBeLessThan(target === 'cli' ? 45e6 : 15e6)
    })

    it('holds its own program, what that is made of in writing, and nothing that builds', async () => {
      const list = `
        const { existsSync, readdirSync, readFileSync } = require('node:fs')
        const names = folder => existsSync(folder) ? readdirSync(folder).filter(name => !name.startsWith('.')) : []
        const read = name => readFileSync('apps/${target}/dist/' + name, 'utf8')
        const modules = names('node_modules').flatMap(name => names('node_modules/' + name).map(it => name + '/' + it))
        const programs = process.env.PATH.split(':').flatMap(names)
        const bill = JSON.parse(read('sbom.cdx.json')).components.map(({ name }) => name)
        console.log(JSON.stringify({ apps: names('apps'), files: names('apps/${target}/dist'), modules, programs, bill, licenses: read('licenses.txt') }))`
      const said = await podman.run(
        ...['run', '--rm', '--network=none', '--entrypoint=node', imageOf(target), '-e', list],
      )
      const { apps, files, modules, programs, bill, licenses } = JSON.parse(said) as Record<string, string[]>
      const operated = ['cli', 'clients', 'consent', 'resource', 'token']
      expect(apps).toEqual(target === 'cli' ? operated : [target])
      const served = target === 'sample-client' ? ['browser', 'flow'] : []
      expect(files).toEqual([...served, 'licenses.txt', 'main.js', 'sbom.cdx.json'].sort())
      const hashes = target === 'consent' || target === 'cli'
      expect(modules).toEqual(hashes ? expect.arrayContaining(['@node-rs/argon2']) : [])
      expect(bill?.includes('openid-client')).toBe(target === 'sample-client')
      expect(bill?.includes('@node-rs/argon2')).toBe(target === 'consent')
      expect(bill).toContain(target === 'cli' ? 'pg' : '@nestjs/core')
      for (const name of bill ?? []) expect(licenses).toContain(`${name} `)
      for (const name of ['esbuild', 'turbo', 'typescript', 'jest', '@grantlog/testing', '@grantlog/servers'])
        expect(bill).not.toContain(name)
      for (const name of ['gcc', 'make', 'python3', 'git']) expect(programs).not.toContain(name)
    })
  })

  it('cli is the operator’s program', async () => {
    expect(await podman.run('run', '--rm', '--network=none', '--read-only', imageOf('cli'))).toContain(
      'grantlog topics apply',
    )
  })

  describe('hardened, together', () => {
    const containers = new Map<ServiceName, Container>()
    let stopBackbone: (() => Promise<void>) | undefined
    let installation: Installation
    let backbone: Backbone

    const start = async (name: ServiceName) => {
      containers.set(
        name,
        await startContainer(podman, name, inside(environmentOf(name, installation, backbone))),
      )
    }

    beforeAll(async () => {
      silence()
      const options = temporary('embedded')
      installation = await Installation.open(options)
      const started = await startBackbone(installation, options)
      backbone = started.backbone
      stopBackbone = started.stop
      for (const name of databaseNames)
        await migrate(podman, name, inside(migrationEnvironment(name, backbone)))
      await Promise.all(databaseNames.map(start))
      installation.demo = await createDemo(installation, backbone)
      await start('sample-client')
    }, 3 * minutes)
    afterAll(async () => {
      for (const container of containers.values()) await container.remove()
      await stopBackbone?.()
      await installation?.remove()
    })

    it('are healthy, each in its own words', async () => {
      for (const container of containers.values()) await container.healthy()
      expect(containers.size).toBe(5)
    })

    it('do the main job', async () => {
      const { demo } = installation
      if (demo === undefined) throw new Error('There is no demonstration')
      expect(await prove(installation, backbone, demo, () => undefined)).toMatchObject({ ok: true })
    })

    it('stop while they start, as the first process of their container', async () => {
      const database = createServer()
      database.listen(0, '127.0.0.1')
      await once(database, 'listening')
      const { port } = database.address() as AddressInfo
      const settings = inside(environmentOf('token', installation, backbone))
      const container = await runContainer(podman, 'token', {
        ...settings,
        DATABASE_URL: `postgres://token:secret@127.0.0.1:${port}/token`,
      })
      const [connection] = (await once(database, 'connection')) as [Socket] // nobody answers it
      expect(await container.stop()).toBe(0)
      expect(await container.log()).toMatch(/^[^\n]*stopped while it started[^\n]*$/)
      await container.remove()
      connection.destroy()
      database.close()
    })

    it('finish the request in flight when they are asked to stop', async () => {
      const port = installation.ports.token
      const request = await beginRequest(port, '/token', 'grant_type=client_credentials')
      const stopped = containers.get('token')?.stop()
      await eventually(() => expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow())
      expect(await request.finish()).toMatch(/HTTP\/1\.1 401 [\s\S]*"error":"invalid_client"/)
      expect(await stopped).toBe(0)
    })

    it('stop cleanly', async () => {
      const codes = await Promise.all([...containers.values()].map(container => container.stop()))
      expect(codes).toEqual([0, 0, 0, 0, 0])
    })
  })
})

/** Without what is this machine’s own. */
function inside({ PATH, HOME, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env
}
