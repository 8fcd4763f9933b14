import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Backbone, environmentOf, Installation, System, silence, temporary } from '@grantlog/launcher'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const apps = join(import.meta.dirname, '../../apps')

describe('the demonstration and its proof, by the operator’s program and HTTP alone', () => {
  let installation: Installation
  let system: System
  let backbone: Backbone
  let folder: string
  const inFolder = (name: string) => join(folder, name)

  beforeAll(async () => {
    silence()
    const options = temporary('embedded')
    installation = await Installation.open(options)
    system = new System(installation, options)
    backbone = await system.startPlatform()
    await system.startService('resource', backbone)
    folder = await mkdtemp(join(tmpdir(), 'grantlog-demo-'))
  })
  afterAll(async () => {
    await system?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const grantlog = (...args: string[]) => run('cli', args)
  const make = () =>
    grantlog(
      ...['demo', 'make', '--into', inFolder('demo'), '--operator-secret', inFolder('operator')],
      ...['--issuer', installation.url('token'), '--api', installation.url('resource')],
      ...['--application', installation.url('sample-client')],
      ...['--clients', installation.url('clients'), '--consent', installation.url('consent')],
    )

  it('the operator gets the secret of a file, however often', async () => {
    const bootstrap = () =>
      run(
        'clients',
        ['bootstrap', '--secret-file', inFolder('operator')],
        environmentOf('clients', installation, backbone),
      )
    await writeFile(inFolder('operator'), 'too-short')
    expect(await bootstrap()).toMatchObject({ code: 1, err: expect.stringContaining('32 to 128 characters') })

    await writeFile(inFolder('operator'), 'the-secret-of-the-operator-0123456789')
    const first = await bootstrap()
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining('is registered') })
    expect(first.out).not.toContain('the-secret-of-the-operator')
    await writeFile(inFolder('operator'), 'another-secret-of-the-operator-0123456789')
    expect(await bootstrap()).toMatchObject({ code: 0, out: expect.stringContaining('stays as it is') })
  })

  it('a wrong secret is refused by the platform, and nothing is made', async () => {
    const { code, err } = await make()
    expect(code).toBe(1)
    expect(err).toContain('The token service did not accept the operator: 401')
    expect(err).not.toContain('another-secret')
    expect(await readdir(inFolder('demo'))).toEqual([])
  }, 60_000)

  it('is made, goes on where it was cut off, and is for its owner’s eyes', async () => {
    await writeFile(inFolder('operator'), 'the-secret-of-the-operator-0123456789\n')
    expect(await make()).toMatchObject({ code: 0, err: '' })
    const made = await readFile(inFolder('demo/demo.json'), 'utf8')

    // as if it had been cut off before the company
    const outcomes = JSON.parse(await readFile(inFolder('demo/made.json'), 'utf8'))
    const { company: _, membership: __, ...before } = outcomes
    await writeFile(inFolder('demo/made.json'), JSON.stringify(before))
    expect(await make()).toMatchObject({ code: 0, err: '' })
    const again = JSON.parse(await readFile(inFolder('demo/demo.json'), 'utf8'))
    const { company, ...rest } = JSON.parse(made)
    expect(again).toMatchObject({
      ...rest,
      owners: [...rest.owners.slice(0, 2), expect.stringContaining('organization:')],
    })
    expect(again.company.id).not.toBe(company.id)

    for (const name of await readdir(inFolder('demo')))
      expect((await stat(inFolder(join('demo', name)))).mode & 0o077).toBe(0)
    expect((await readFile(inFolder('demo/public-client-id'), 'utf8')).trim()).toBe(rest.publicClient.id)
    expect((await readFile(inFolder('demo/api-client-id'), 'utf8')).trim()).toBe(rest.apiClient.id)
    const owners = (await readFile(inFolder('demo/owners'), 'utf8')).trim().split(' ')
    const seeded = await run(
      'resource',
      ['seed', ...owners],
      environmentOf('resource', installation, backbone),
    )
    expect(seeded).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+ invoices/) })
  })

  it('is proved, again and again, and says which step is not', async () => {
    const first = await grantlog('demo', 'prove', '--demo', inFolder('demo'))
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out.trim().split('\n').at(-1)).toBe('proved')
    const second = await grantlog('demo', 'prove', '--demo', inFolder('demo'), '--json')
    expect(JSON.parse(second.out)).toMatchObject({ ok: true, revokedToDeniedMs: expect.any(Number) })

    await system.service('resource').stop()
    const third = await grantlog('demo', 'prove', '--demo', inFolder('demo'), '--json')
    expect(third.code).toBe(1)
    const { ok, steps } = JSON.parse(third.out)
    expect(ok).toBe(false)
    expect(steps.at(-1)).toMatchObject({ name: 'invoice read', ok: false })

    // the grant that the third one has left behind stands in nobody's way
    await system.service('resource').start()
    expect(await grantlog('demo', 'prove', '--demo', inFolder('demo'))).toMatchObject({ code: 0 })
  })

  async function run(app: string, args: string[], env: NodeJS.ProcessEnv = { PATH: process.env.PATH }) {
    const child = spawn(process.execPath, [join(apps, app, 'dist/main.js'), ...args], { cwd: folder, env })
    const said = { out: '', err: '' }
    child.stdout.on('data', (data: Buffer) => {
      said.out += data.toString()
    })
    child.stderr.on('data', (data: Buffer) => {
      said.err += data.toString()
    })
    const code = await new Promise(resolve => child.once('close', resolve))
    return { code, ...said }
  }
})
