import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { configurations } from '../configurations.js'
import { type Composition, readComposition, type Service } from './composition.js'
import { type Known, problemsOf } from './rules.js'

const root = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const text = read('docker-compose.yml')
const composition = readComposition(text)

// of github.com/compose-spec/compose-spec (Apache-2.0), as it is there
const schema = JSON.parse(read('e2e/src/compose/compose-spec.json'))
const validate = new Ajv({ strict: false, validateFormats: false }).compile({
  ...schema,
  $schema: 'http://json-schema.org/draft-07/schema#',
})

/** The files that the demonstration copies into the secrets of a service. */
function handedTo(service: string): string[] {
  const script = composition.services.demo?.entrypoint?.at(-1) ?? ''
  const [, copied = ''] = new RegExp(`cp ((?:/demo/\\S+ )+)/${service}/`).exec(script) ?? []
  return copied.split(' ').flatMap(path => (path === '' ? [] : [path.slice('/demo/'.length)]))
}

describe('docker-compose.yml', () => {
  let known: Known

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'grantlog-compose-'))
    execFileSync(process.execPath, [join(root, 'apps/cli/dist/main.js'), 'secrets', 'make', folder])
    const made = readdirSync(folder).map(
      name => [`secrets-${name}`, [...readdirSync(join(folder, name)), ...handedTo(name)]] as const,
    )
    rmSync(folder, { recursive: true })
    known = {
      settings: new Map(configurations.map(({ service, settings }) => [service, settings])),
      files: new Map([...made, ['trust', ['root.crt']]]),
    }
  })

  it('is what the Compose Specification says', () => {
    validate(composition)
    expect(validate.errors).toBeNull()
  })

  it('keeps every service hardened, apart, and set up with what it knows', () => {
    expect(problemsOf(composition, known)).toEqual([])
  })

  it('lets every image be another one', () => {
    const written = parse(text, { merge: true }) as Composition
    const images = Object.values(written.services).map(({ image = '' }) => image)
    for (const image of images)
      expect(image).toMatch(
        /^\$\{(POSTGRES|KAFKA|CADDY)_IMAGE:-[^}]+\}$|^\$\{GRANTLOG_REGISTRY:-\}grantlog-[a-z-]+:\$\{GRANTLOG_VERSION:-dev\}$/,
      )
    const ours = Object.values(
      readComposition(text, { GRANTLOG_REGISTRY: 'r/', GRANTLOG_VERSION: '1' }).services,
    )
    expect(ours.filter(({ image }) => image?.startsWith('r/grantlog-'))).toHaveLength(13)
  })

  it('builds each of our images once, of its own target', () => {
    const built = Object.values(composition.services).filter(({ build }) => build !== undefined)
    for (const { image, build } of built) expect(image).toBe(`grantlog-${build?.target}:dev`)
    expect(new Set(built.map(({ image }) => image)).size).toBe(built.length)
    const ours = Object.values(composition.services).flatMap(({ image }) =>
      image?.startsWith('grantlog-') ? [image] : [],
    )
    expect(new Set(built.map(({ image }) => image))).toEqual(new Set(ours))
  })

  it('holds no secret', () => {
    expect(text).not.toMatch(/:\/\/[^/\s]+:[^/\s]+@/)
    expect(text).not.toMatch(/[A-Za-z0-9_-]{43}/)
  })

  it('routes what the gateway for Kubernetes routes', () => {
    const ours = sitesIn(composition.services.caddy?.command?.at(-1) ?? '')
    expect(ours.map(site => site.split('\n')[0])).toEqual(['auth', 'api', 'app'])
    expect(ours).toEqual(sitesIn(read('k8s/overlays/local/Caddyfile')))
  })

  describe('is found wrong where it', () => {
    const changed = (name: string, change: (service: Mutable<Service>) => unknown): Composition => {
      const copy = structuredClone(composition)
      change(copy.services[name] as Mutable<Service>)
      return copy
    }

    it.each<[string, string, (service: Mutable<Service>) => unknown]>([
      ['token', 'runs as root', it => Object.assign(it, { user: 'root' })],
      ['token', 'runs as whom its image says', it => delete it.user],
      ['volumes', 'adds capabilities', it => Object.assign(it, { cap_add: ['CHOWN', 'DAC_OVERRIDE'] })],
      ['kafka', 'may write its root', it => delete it.read_only],
      ['postgres', 'keeps capabilities', it => delete it.cap_drop],
      ['caddy', 'may gain privileges', it => delete it.security_opt],
      ['caddy', 'is published to other machines', it => Object.assign(it, { ports: ['8443:8443'] })],
      ['token', 'is privileged', it => Object.assign(it, { privileged: true })],
      ['token', 'may use all memory', it => delete it.mem_limit],
      [
        'token',
        'mounts a folder of the host',
        it => Object.assign(it, { volumes: ['./secrets:/secrets:ro'] }),
      ],
      ['token', 'is killed while it stops', it => delete it.stop_grace_period],
      ['token', 'has no healthcheck', it => delete it.healthcheck],
      [
        'token',
        'sets CODE_KEY, which it does not know',
        it => Object.assign(it.environment ?? {}, { CODE_KEY: '' }),
      ],
      [
        'token',
        'sets the secret CODE_KEYS in clear',
        it => Object.assign(it.environment ?? {}, { CODE_KEYS: 'k1:…' }),
      ],
      ['token', 'does not set ISSUER', it => delete (it.environment as Record<string, string>).ISSUER],
      ['token', 'has no file /secrets/CODE_KEYS (CODE_KEYS_FILE)', it => delete it.volumes],
      ['token', 'can read secrets-consent', it => it.volumes?.push('secrets-consent:/more:ro')],
      ['token', 'can write secrets-token', it => Object.assign(it, { volumes: ['secrets-token:/secrets'] })],
      ['token', 'reaches consent', it => Object.assign(it, { networks: ['token', 'consent'] })],
      [
        'token',
        'reaches the Internet by outside',
        it => Object.assign(it, { networks: ['token', 'outside'] }),
      ],
      [
        'token',
        'names the network nowhere, and there is none',
        it => Object.assign(it, { networks: ['nowhere'] }),
      ],
      [
        'proof',
        'names the volume lost, and there is none',
        it => Object.assign(it, { volumes: ['lost:/lost'] }),
      ],
    ])('%s %s', (name, problem, change) => {
      expect(problemsOf(changed(name, change), known)).toContain(`${name} ${problem}`)
    })

    it('waits for nobody’s proof', () => {
      const without = changed('sample-client', it => delete it.depends_on)
      expect(problemsOf(without, known)).toEqual(['proof is a step that nobody waits for'])
    })

    it.each<[string, (service: Mutable<Service>) => unknown]>([
      ['a field that is none', it => Object.assign(it, { readonly: true })],
      [
        'a condition that is none',
        it => Object.assign(it, { depends_on: { kafka: { condition: 'ready' } } }),
      ],
      ['a number for a name', it => Object.assign(it, { image: 18 })],
    ])('has %s', (_, change) => {
      expect(validate(changed('token', change))).toBe(false)
    })
  })
})

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer E)[] | undefined ? E[] | undefined : T[K]
}

/** Each site, without what differs between the two gateways: names, ports, and whose certificate it is. */
function sitesIn(caddyfile: string): string[] {
  const sites = caddyfile.matchAll(/^(?:https:\/\/)?(\w+)\.grantlog\S* \{\n([\s\S]*?)^\}/gm)
  return [...sites].map(([, host, body = '']) =>
    `${host}\n${body}`
      .replace('\timport certificate\n\n', '')
      .replace(/(reverse_proxy @\S+) (?:grantlog-)?([a-z-]+):\d+$/gm, '$1 $2'),
  )
}
