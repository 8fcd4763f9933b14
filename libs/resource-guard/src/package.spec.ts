import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const compiler = join(root, 'node_modules/typescript-native/bin/tsc')

/** A resource server of somebody else: it has a token verified, and then refused since it was revoked. */
const consumer = `
import { Freshness, Guard, GuardError, RevocationSet } from '@grantlog/resource-guard'
import { requireToken } from '@grantlog/resource-guard/express'
import { requireToken as hook } from '@grantlog/resource-guard/fastify'
import { verifyToken } from '@grantlog/resource-guard/fetch'
import { generateKeyPair, SignJWT } from 'jose'

const { privateKey, publicKey } = await generateKeyPair('ES256')
const [issuer, audience] = ['https://auth.example.com', 'https://api.example.com']
const jwt = new SignJWT({ scope: 'read', client_id: 'c', jti: 't' }).setIssuer(issuer).setAudience(audience)
const text = await jwt.setSubject('ada').setIssuedAt().setExpirationTime('1m')
  .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' }).sign(privateKey)

const revocations = new RevocationSet()
const guard = new Guard({ issuer, audience, revocations, freshness: new Freshness([]), keys: async () => publicKey })
const request = { authorization: \`Bearer \${text}\` }
const { subject } = await guard.verify(request, { scope: ['read'] })
revocations.apply({ target: { kind: 'token', id: 't' }, issuedBefore: null })
const error: unknown = await guard.verify(request).catch((reason: unknown) => reason)
const answer = await verifyToken(guard, new Request(audience, { headers: request }))
const told = error instanceof GuardError && answer instanceof Response ? [error.status, answer.status] : []
console.log(JSON.stringify([subject, told, typeof requireToken(guard), typeof hook(guard)]))
`

describe('the package, installed from its tarballs into an empty folder', () => {
  let folder: string
  let packed: Record<string, string[]>
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'grantlog-guard-'))
    packed = {}
    for (const path of ['libs/oauth', 'libs/resource-guard', 'node_modules/jose'])
      Object.assign(packed, await pack(path))
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
    const tarballs = Object.keys(packed).map(name => `./${name}`)
    await npm(['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], folder)
    await writeFile(join(folder, 'consumer.ts'), consumer)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const npm = (args: string[], cwd: string) => run('npm', args, { cwd })

  /** The files in the tarball of a package, by the tarball’s name. */
  async function pack(path: string): Promise<Record<string, string[]>> {
    const options = ['--json', '--ignore-scripts', '--pack-destination', folder]
    const { stdout } = await npm(['pack', ...options], join(root, path))
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
    return { [filename]: files.map(file => file.path) }
  }

  /** Against the types of Node, and nothing else of ours. */
  const compile = (...options: string[]) =>
    run(
      process.execPath,
      [
        compiler,
        'consumer.ts',
        ...[
          '--module',
          'nodenext',
          '--moduleResolution',
          'nodenext',
          '--target',
          'es2023',
          '--lib',
          'es2024',
        ],
        ...['--strict', '--skipLibCheck', 'false'],
        ...['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')],
        ...options,
      ],
      { cwd: folder },
    ).catch((error: { stdout: string }) => {
      throw new Error(error.stdout)
    })

  it('brings jose, and nothing else', async () => {
    const modules = await readdir(join(folder, 'node_modules'))
    expect(modules.filter(name => !name.startsWith('.')).sort()).toEqual(['@grantlog', 'jose'])
    const ours = await readdir(join(folder, 'node_modules/@grantlog'))
    expect(ours.sort()).toEqual(['oauth', 'resource-guard'])
  })

  it('holds what runs, its types, its sources and its licence, and no tests', () => {
    const own = Object.entries(packed).filter(([name]) => name.startsWith('grantlog-'))
    expect(own).toHaveLength(2)
    for (const [, files] of own) {
      expect(files).toEqual(
        expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']),
      )
      expect(files.filter(file => /\.spec\.|tsbuildinfo/.test(file))).toEqual([])
    }
  })

  it('is compiled against, strictly, and verifies a token and refuses a revoked one', async () => {
    await compile()
    const { stdout } = await run(process.execPath, ['consumer.js'], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual(['ada', [401, 401], 'function', 'function'])
  })

  it('is compiled against by those who ask for sources', async () => {
    await compile('--customConditions', 'source', '--noEmit')
  })
})
