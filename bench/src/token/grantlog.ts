import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { CodeClaims, Fact } from '@grantlog/contracts'
import { createEventTables, EmbeddedTransport, Eventing } from '@grantlog/eventing'
import { memoryEnv, nodeOptions } from '@grantlog/launcher'
import { createClientSecret, hashSecret, parseSealKeys, parseSecretKeys, sealCode } from '@grantlog/oauth'
import { freePorts } from '@grantlog/servers'
import type { Database, Ground } from './ground.js'
import { type ServerProcess, startServer } from './server-process.js'
import { redirectUri, scope, type Target } from './target.js'

const main = join(import.meta.dirname, '../../../apps/token/dist/main.js')
const api = { apiId: 'invoices', audience: 'https://api.example/invoices', accessTokenSeconds: 3600 }
const clientId = 'bench'
const codeSeconds = 60
// the same for all instances of a run
const codeKeys = `k1:${randomBytes(32).toString('base64url')}`
const sealKeys = parseSealKeys(codeKeys)
const keyEncryptionKey = randomBytes(32).toString('base64url')
const clientSecretKeys = randomBytes(32).toString('base64url')

/** A client registry’s log with one client and one API: what a token service must have heard before it issues anything. */
export interface Registry {
  readonly database: Database
  readonly secret: string
}

export async function writeRegistry(ground: Ground): Promise<Registry> {
  const database = await ground.database('clients')
  const { pool } = database
  await pool.query(createEventTables)
  const secret = createClientSecret()
  const log = new Eventing({
    pool,
    service: 'clients',
    projections: [],
    remote: new EmbeddedTransport({}),
    report: error => process.stderr.write(`  ${String(error)}\n`),
    now: () => new Date(),
  })
  const facts = registered(secret)
  for (const [streamId, fact] of Object.entries(facts)) {
    const events = log.store.prepare([fact], { actor: { type: 'operator', id: 'bench' }, time: new Date() })
    await log.store.append({ streamId, base: 0, events, state: {}, stateTag: 'bench' })
  }
  await log.stop()
  return { database, secret }
}

function registered(secret: string): Record<string, Fact<'client.registered' | 'api.registered'>> {
  return {
    [`api-${api.apiId}`]: {
      type: 'api.registered',
      data: {
        ...api,
        accessTokenAlgorithm: 'ES256',
        accessTokenFormat: 'jwt',
        name: 'Invoices',
        scopes: [{ name: scope, text: 'Read your invoices', access: 'read' }],
      },
    },
    [`client-${clientId}`]: {
      type: 'client.registered',
      data: {
        clientId,
        name: 'Bench',
        homepage: null,
        redirectUris: [redirectUri],
        grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
        tokenEndpointAuthMethod: 'client_secret_basic',
        keys: [],
        certificates: [],
        senderConstraint: null,
        requirePushedRequests: false,
        requireSignedRequests: false,
        scopes: [scope],
        credentials: [
          { credentialId: randomUUID(), verifier: hashSecret(secret, parseSecretKeys(clientSecretKeys)) },
        ],
      },
    },
  }
}

export interface GrantlogOptions {
  readonly database: Database
  /** How many processes share the database. Default: 1. */
  readonly instances?: number
  readonly env?: NodeJS.ProcessEnv
}

/** The token service as it runs in production, on the embedded transport: with its read models kept. */
export async function startGrantlog(
  ground: Ground,
  registry: Registry,
  { database, instances = 1, env = {} }: GrantlogOptions,
): Promise<Target> {
  const ports = await freePorts(instances)
  const servers: ServerProcess[] = []
  for (const port of ports) {
    const settings = {
      PORT: String(port),
      ISSUER: `http://127.0.0.1:${ports[0]}`,
      AUTHORIZATION_ENDPOINT: 'https://consent.example/authorize',
      PUSHED_AUTHORIZATION_REQUEST_ENDPOINT: 'https://consent.example/authorize',
      DEVICE_AUTHORIZATION_ENDPOINT: 'https://consent.example/device_authorization',
      DATABASE_URL: database.url,
      EVENT_TRANSPORT: 'embedded',
      EVENT_SOURCES: `clients=${registry.database.url}`,
      CODE_KEYS: codeKeys,
      KEY_ENCRYPTION_KEY: keyEncryptionKey,
      CLIENT_SECRET_KEYS: clientSecretKeys,
      // all load comes from one client at one address
      ADDRESS_RATE: '0',
      CLIENT_RATE: '0',
      CLIENT_IN_FLIGHT: '0',
      ...memoryEnv,
      ...env,
    }
    servers.push(
      await startServer([...nodeOptions, main], settings, join(ground.folder, `${database.name}.log`)),
    )
  }
  await Promise.all(ports.map(ready))
  const client = { id: clientId, secret: registry.secret }
  return {
    name: 'Grantlog',
    pids: servers.map(({ pid }) => pid),
    ports,
    database,
    paths: { token: '/token', introspect: '/introspect', revoke: '/revoke' },
    client,
    known: client,
    async code() {
      const verifier = randomBytes(32).toString('base64url')
      const code = await sealCode(claims(verifier), sealKeys, { expiresAt: seconds() + codeSeconds })
      return { code, verifier }
    },
    async stop() {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

/** Waits until the service has heard of the client and of the API. */
async function ready(port: number): Promise<void> {
  for (const end = Date.now() + 30_000; ; ) {
    if ((await fetch(`http://127.0.0.1:${port}/health/ready`)).ok) return
    if (Date.now() > end) throw new Error('The token service was not ready within half a minute')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** What the consent service would have sealed, once a person had approved. */
function claims(verifier: string): CodeClaims {
  const person = randomUUID()
  return {
    codeId: randomUUID(),
    grantId: randomUUID(),
    clientId,
    redirectUri,
    redirectUriGiven: true,
    owner: { kind: 'person', id: person },
    person,
    ...api,
    scopes: [scope],
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    issuedAt: seconds(),
    authTime: seconds(),
    grantExpiresAt: null,
  }
}

const seconds = () => Math.floor(Date.now() / 1000)
