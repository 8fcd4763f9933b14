import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@grantlog/platform'
import { certificates } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { configurations } from '../configurations.js'
import { describeWithKustomize, render } from './kustomize.js'
import { type Manifest, ofKind } from './manifest.js'
import { type Pod, reaches } from './network.js'
import { environmentOf, isService, type Known, nameOfGenerated, problemsOf, serviceOf } from './rules.js'
import { schemaProblems } from './schema.js'

const root = join(import.meta.dirname, '../../..')
const names = configurations.map(({ service }) => service)

describeWithKustomize('the manifests for Kubernetes', () => {
  let folder: string
  const rendered = new Map<string, Manifest[]>()
  let known: Known
  const of = (overlay: string) => rendered.get(overlay) ?? []
  const overlays = ['local', 'production']

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'grantlog-k8s-'))
    cpSync(join(root, 'k8s'), folder, { recursive: true, filter: path => !path.endsWith('/secrets') })
    const secrets = join(folder, 'overlays/local/secrets')
    execFileSync('sh', [join(folder, 'make-secrets.sh'), secrets], { stdio: 'pipe' })
    for (const overlay of overlays) rendered.set(overlay, render(join(folder, 'overlays', overlay)))
    known = {
      settings: new Map(configurations.map(({ service, settings }) => [service, settings])),
      migration: ['DATABASE_URL_FILE', 'DATABASE_ROLE'],
      secrets: new Map(readdirSync(secrets).map(name => [name, readdirSync(join(secrets, name))])),
    }
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(overlays)('%s: every resource is what its strict schema says', overlay => {
    expect(of(overlay).length).toBeGreaterThan(60)
    expect(of(overlay).flatMap(schemaProblems)).toEqual([])
  })

  it.each(overlays)('%s: every service is whole, hardened, and set up with what it knows', overlay => {
    expect(of(overlay).filter(isService).map(serviceOf).toSorted()).toEqual(names.toSorted())
    expect(problemsOf(of(overlay), known)).toEqual([])
  })

  it('local: every service starts with these settings and secrets', () => {
    for (const definition of configurations) {
      const deployment = of('local').find(each => isService(each) && serviceOf(each) === definition.service)
      const container = deployment?.spec?.template?.spec.containers[0]
      const secret = (name: string) =>
        globSync(`overlays/local/secrets/{*-keys,${definition.service}}/${name}`, { cwd: folder })[0]
      const entries = [...environmentOf(container, of('local'))].map(([name, value]) => {
        const file = name.endsWith('_FILE') ? secret(name.slice(0, -'_FILE'.length)) : undefined
        if (file !== undefined) return [name, join(folder, file)]
        // what an operator makes
        if (name === 'DATABASE_URL_FILE')
          return [name, join(folder, `overlays/local/secrets/postgres-service-${definition.service}/uri`)]
        if (name === 'KAFKA_PASSWORD_FILE') return ['KAFKA_PASSWORD', 'of the KafkaUser']
        if (name === 'KAFKA_CA_CERTIFICATES_FILE') return ['KAFKA_CA_CERTIFICATES', certificates.authority]
        return [name, value]
      })
      expect(() => loadConfig(definition, Object.fromEntries(entries))).not.toThrow()
    }
  })

  describe.each(overlays)('%s: the network', overlay => {
    const service = (name: string, part = 'service'): Pod => ({
      namespace: 'grantlog',
      labels: { 'grantlog/service': name, 'grantlog/part': part },
    })
    const postgres = (name: string): Pod => ({
      namespace: 'grantlog',
      labels: { 'cnpg.io/cluster': `postgres-${name}` },
    })
    const kafka: Pod = {
      namespace: 'grantlog',
      labels: { 'strimzi.io/cluster': 'grantlog', 'strimzi.io/name': 'grantlog-kafka' },
    }
    const gateway: Pod =
      overlay === 'local'
        ? { namespace: 'grantlog', labels: { 'grantlog/part': 'gateway' } }
        : { namespace: 'envoy-gateway-system', labels: {} }
    const elsewhere: Pod = { namespace: 'default', labels: {} }
    const withDatabase = names.filter(name => name !== 'sample-client')
    const can = (from: Pod, to: Pod, port: number) => reaches(of(overlay), from, to, port)

    it('no service reaches another one', () => {
      for (const from of names)
        for (const to of names)
          for (const port of [80, 8080])
            expect([from, to, can(service(from), service(to), port)]).toEqual([from, to, false])
    })

    it('each reaches its own database, and no other’s; so does its migration', () => {
      for (const part of ['service', 'migrate'])
        for (const from of names)
          for (const to of withDatabase)
            expect([part, from, to, can(service(from, part), postgres(to), 5432)]).toEqual([
              part,
              from,
              to,
              from === to,
            ])
    })

    it('those with a database reach Kafka, at the port that asks who they are', () => {
      for (const name of names) {
        expect([name, can(service(name), kafka, 9093)]).toEqual([name, withDatabase.includes(name)])
        expect(can(service(name), kafka, 9092)).toBe(false)
        expect(can(service(name, 'migrate'), kafka, 9093)).toBe(false)
      }
      expect(can(elsewhere, kafka, 9093)).toBe(false)
    })

    it('only the gateway comes in, and only the samples go out to it', () => {
      for (const name of names) {
        expect([name, can(gateway, service(name), 8080)]).toEqual([name, true])
        expect([name, can(elsewhere, service(name), 8080)]).toEqual([name, false])
        const out = can(service(name), gateway, overlay === 'local' ? 8443 : 443)
        expect([name, out]).toEqual([name, ['resource', 'sample-client'].includes(name)])
        expect([name, can(service(name), elsewhere, 443)]).toEqual([name, false])
      }
    })

    it('the instances of one Postgres copy from each other, and those of another one do not', () => {
      for (const from of withDatabase)
        for (const to of withDatabase) expect(can(postgres(from), postgres(to), 5432)).toBe(from === to)
    })
  })

  describe('the routes', () => {
    /** The first part of each path that a service's controllers answer, by its service. */
    const answered = names.map((name): [string, string[]] => [
      name,
      [
        ...new Set(
          globSync(join(root, `apps/${name}/src/http/*.controller.ts`)).flatMap(file =>
            pathsIn(readFileSync(file, 'utf8')),
          ),
        ),
      ].toSorted(),
    ])

    it.each(answered)('production: %s gets what it answers, and nothing else', (name, paths) => {
      const route = ofKind(of('production'), 'HTTPRoute').find(
        ({ spec }) => spec?.rules?.[0]?.backendRefs[0]?.name === `grantlog-${name}`,
      )
      const routed = route?.spec?.rules?.flatMap(({ matches }) => matches.map(({ path }) => path.value)) ?? []
      expect(routed.toSorted()).toEqual(paths)
      const environment = environmentOf(
        of('production').find(each => isService(each) && serviceOf(each) === name)?.spec?.template?.spec
          .containers[0],
        of('production'),
      )
      const url = environment.get('PUBLIC_URL') ?? environment.get('ISSUER') ?? ''
      expect(route?.spec?.hostnames).toEqual([new URL(url).hostname])
    })

    it.each(answered)('local: %s gets the same from Caddy', (name, paths) => {
      const caddyfile = readFileSync(join(folder, 'overlays/local/Caddyfile'), 'utf8')
      const line = new RegExp(
        `^\\t+@${name} path (.+)\\n\\t+reverse_proxy @${name} grantlog-${name}:80$`,
        'm',
      ).exec(caddyfile)
      expect(
        line?.[1]
          ?.split(' ')
          .filter(path => !path.endsWith('/*'))
          .toSorted(),
      ).toEqual(paths)
      expect(
        line?.[1]
          ?.split(' ')
          .filter(path => path.endsWith('/*'))
          .toSorted(),
      ).toEqual(paths.filter(path => path !== '/').map(path => `${path}/*`))
    })
  })

  describe('the checks catch', () => {
    const changed = (title: string, change: (manifest: Manifest) => void): Manifest[] =>
      structuredClone(of('production')).map(manifest => {
        if (`${manifest.kind} ${manifest.metadata.name}` === title) change(manifest)
        return manifest
      })
    const container = (manifest: Manifest) =>
      manifest.spec?.template?.spec.containers[0] as never as Record<string, object>
    const pod = (manifest: Manifest) => manifest.spec?.template?.spec as never as Record<string, object>
    const token = 'Deployment grantlog-token'

    it.each<[string, string, (manifest: Manifest) => void]>([
      [
        token,
        '/spec/template/spec/containers/0 must NOT have additional properties (readyProbe)',
        it => Object.assign(container(it), { readyProbe: {} }),
      ],
      [
        'KafkaUser kafka-token',
        '/spec must NOT have additional properties (acls)',
        it => Object.assign(it.spec ?? {}, { acls: [] }),
      ],
      [
        'Cluster postgres-token',
        '/spec must NOT have additional properties (instance)',
        it => Object.assign(it.spec ?? {}, { instance: 1 }),
      ],
      [
        'HTTPRoute token',
        '/spec/hostnames must be array',
        it => Object.assign(it.spec ?? {}, { hostnames: 'auth.example.com' }),
      ],
    ])('%s: %s', (title, problem, change) => {
      expect(changed(title, change).flatMap(schemaProblems)).toContain(`${title}: ${problem}`)
    })

    it.each<[string, (manifest: Manifest) => void]>([
      ['runs as user 0', it => Object.assign(pod(it).securityContext ?? {}, { runAsUser: 0 })],
      ['runs as user 0', it => Object.assign(container(it).securityContext ?? {}, { runAsUser: 0 })],
      ['is privileged', it => Object.assign(container(it).securityContext ?? {}, { privileged: true })],
      ['may run as root', it => delete pod(it).securityContext],
      ['may write its root', it => delete container(it).securityContext],
      [
        'adds capabilities',
        it =>
          Object.assign(container(it).securityContext ?? {}, {
            capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] },
          }),
      ],
      ['gets a token of the Kubernetes API', it => delete pod(it).automountServiceAccountToken],
      [
        'mounts a folder of the host',
        it => Object.assign(pod(it), { volumes: [{ name: 'host', hostPath: { path: '/' } }] }),
      ],
      ['has no requests and limits', it => delete container(it).resources],
      ['has no readinessProbe', it => delete container(it).readinessProbe],
      ['is killed while it stops: 0 s + 30 s of 50 s', it => delete container(it).lifecycle],
      [
        'sets CODE_KEY, which token does not know',
        it => Object.assign(container(it), { env: [{ name: 'CODE_KEY', value: '' }] }),
      ],
      [
        'sets the secret CODE_KEYS in clear',
        it => Object.assign(container(it), { env: [{ name: 'CODE_KEYS', value: 'k1:…' }] }),
      ],
      ['does not set ISSUER', it => delete container(it).envFrom],
      ['has no file /etc/grantlog/secrets/CODE_KEYS (CODE_KEYS_FILE)', it => delete pod(it).volumes],
    ])(`${token} %s`, (problem, change) => {
      expect(problemsOf(changed(token, change), known)).toContain(`${token} ${problem}`)
    })

    it.each(['Service', 'PodDisruptionBudget', 'NetworkPolicy', 'HorizontalPodAutoscaler'])('no %s', kind => {
      const without = of('production').filter(
        each => each.kind !== kind || each.metadata.name !== 'grantlog-token',
      )
      expect(problemsOf(without, known)).toEqual([`${token} has no ${kind} of its own`])
    })

    it('more instances than their database has connections for', () => {
      const manifests = changed('HorizontalPodAutoscaler grantlog-token', it =>
        Object.assign(it.spec ?? {}, { maxReplicas: 20 }),
      )
      expect(problemsOf(manifests, known)).toEqual([
        `${token} may need 525 connections, and Cluster postgres-token has 200`,
      ])
    })
  })

  it('no secret is in a resource but a Secret, and none of those is in production', () => {
    expect(ofKind(of('production'), 'Secret')).toEqual([])
    const secrets = ofKind(of('local'), 'Secret').flatMap(({ data = {}, metadata }) =>
      nameOfGenerated(metadata.name) === 'authority'
        ? []
        : Object.entries(data).filter(([key]) => key !== 'username'),
    )
    const values = secrets.map(([, value]) => Buffer.from(value, 'base64').toString())
    expect(values.length).toBeGreaterThan(12)
    const others = JSON.stringify(of('local').filter(({ kind }) => kind !== 'Secret'))
    for (const value of values.filter(each => each !== 'not-registered-yet'))
      expect(others).not.toContain(value)
  })
})

/** The first part of each path that a controller answers; two of a well-known one. */
function pathsIn(source: string): string[] {
  const prefix = /@Controller\((?:'([^']*)')?\)/.exec(source)?.[1]
  if (prefix !== undefined) return [firstPart(prefix)]
  return [...source.matchAll(/@(?:Get|Post|Put|Delete)\(([^)]*)\)/g)].flatMap(([, argument = '']) => {
    const paths = [...argument.matchAll(/'([^']*)'/g)].map(([, path]) => path ?? '')
    return (paths.length > 0 ? paths : ['']).map(firstPart)
  })
}

function firstPart(path: string): string {
  const parts = path.split('/')
  return `/${parts.slice(0, parts[0] === '.well-known' ? 2 : 1).join('/')}`
}
