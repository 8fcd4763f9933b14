import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from '@jest/globals'
import { publicClient, refreshUntilRefused, type TestClient, type Tokens } from './clients.js'
import { Ada, type RunningSystem, untilStatus } from './running-system.js'

const grantlog = join(import.meta.dirname, '../../apps/cli/dist/main.js')
export const password = 'a-password-of-several-words'

/** A person of the test's own, her browser, and the tokens that she lets applications have. */
export interface Person {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly password: string
}

export interface Held {
  readonly client: TestClient
  readonly tokens: Tokens
  readonly claims: Readonly<Record<string, string>>
}

/** What an operator makes and revokes on a running system, and what people allow there. */
export class RevokeWorld {
  #operatorToken = ''

  private constructor(readonly running: RunningSystem) {}

  static async open(running: RunningSystem): Promise<RevokeWorld> {
    const world = new RevokeWorld(running)
    world.#operatorToken = await world.tokenFor('accounts:write clients:write revocations:write')
    return world
  }

  url(service: 'clients' | 'consent' | 'token', path: string): string {
    return `${this.running.installation.url(service)}${path}`
  }

  async tokenFor(scope: string): Promise<string> {
    const response = await fetch(this.url('token', '/token'), {
      method: 'POST',
      headers: this.#basic(),
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: 'urn:grantlog:platform',
        scope,
      }),
    })
    return ((await response.json()) as { access_token: string }).access_token
  }

  send(url: string, body?: object, { method = 'POST', token = this.#operatorToken } = {}): Promise<Response> {
    return fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  }

  delete(clientId: string): Promise<Response> {
    const url = this.url('clients', `/clients/${clientId}?reason=it+was+discontinued`)
    return this.send(url, undefined, { method: 'DELETE' })
  }

  async make(url: string, body: object): Promise<Record<string, string>> {
    const response = await this.send(url, body)
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, string>
  }

  async person(): Promise<Person> {
    const person = { name: 'Mary Somerville', email: `mary-${randomUUID()}@example.com`, password }
    const { account_id: id = '' } = await this.make(this.url('consent', '/accounts'), person)
    return { ...person, id }
  }

  async organization(...administrators: Person[]): Promise<string> {
    const created = await this.make(this.url('consent', '/organizations'), { name: 'Somerville & Co' })
    const id = created.organization_id ?? ''
    for (const each of administrators)
      await this.make(this.url('consent', `/organizations/${id}/members`), {
        account_id: each.id,
        role: 'administrator',
      })
    return id
  }

  /** An application of the test's own, that consent has heard of. */
  async application(name: string): Promise<{ id: string; open: () => Promise<TestClient> }> {
    const { running } = this
    const registration = {
      client_name: name,
      client_uri: running.installation.url('sample-client'),
      redirect_uris: [`${running.installation.url('sample-client')}/public/callback`],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'invoices:read',
    }
    const { client_id: id = '' } = await this.make(this.url('clients', '/clients'), registration)
    const open = () => publicClient({ ...running, demo: { ...running.demo, publicClient: { id } } })
    await untilStatus(200, async () => this.asked(await open()))
    return { id, open }
  }

  /** What the authorization endpoint answers a client. */
  async asked(client: TestClient): Promise<Response> {
    return fetch(await client.authorizationUrl('invoices:read'), { redirect: 'manual' })
  }

  /** Her browser. */
  browser(person: Person): Ada {
    return new Ada({ ...this.running, demo: { ...this.running.demo, person } })
  }

  /** What a client gets of somebody; its first request is answered. */
  async held(ada: Ada, client: TestClient, owner: string): Promise<Held> {
    const tokens = await client.redeem(await this.approved(ada, client, owner))
    await untilStatus(200, () => this.read(tokens))
    const [, payload = ''] = tokens.accessToken.split('.')
    return { client, tokens, claims: JSON.parse(Buffer.from(payload, 'base64url').toString()) }
  }

  async approved(ada: Ada, client: TestClient, owner: string): Promise<URL> {
    return ada.answer(await client.authorizationUrl('invoices:read'), client.redirectUri, { owner })
  }

  read({ accessToken }: Tokens): Promise<Response> {
    return fetch(this.running.audience, { headers: { authorization: `Bearer ${accessToken}` } })
  }

  async isActive(token: string): Promise<boolean> {
    const response = await fetch(this.url('token', '/introspect'), {
      method: 'POST',
      headers: this.#basic(),
      body: new URLSearchParams({ token }),
    })
    return ((await response.json()) as { active: boolean }).active
  }

  /** The API refuses, introspection says inactive, no refresh. */
  async expectDead(...all: Held[]): Promise<void> {
    for (const { client, tokens } of all) {
      await untilStatus(401, () => this.read(tokens))
      await expect(refreshUntilRefused(client, tokens.refreshToken)).resolves.toMatchObject({
        error: 'invalid_grant',
      })
      expect(await this.isActive(tokens.accessToken)).toBe(false)
      expect(await this.isActive(tokens.refreshToken)).toBe(false)
    }
  }

  async expectAlive({ tokens }: Held): Promise<void> {
    expect((await this.read(tokens)).status).toBe(200)
    expect(await this.isActive(tokens.refreshToken)).toBe(true)
  }

  /** The operator's program, with its secret in the environment. */
  async revoke(...args: string[]): Promise<Record<string, unknown>> {
    const { installation, demo } = this.running
    const site = (['clients', 'consent'] as const).flatMap(name => [`--${name}`, installation.url(name)])
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [grantlog, 'revoke', ...args, '--issuer', installation.url('token'), ...site, '--json'],
      { env: { ...process.env, OPERATOR_SECRET: demo.operator.secret } },
    )
    return JSON.parse(stdout)
  }

  #basic() {
    const { id, secret } = this.running.demo.operator
    return { authorization: `Basic ${btoa(`${id}:${secret}`)}` }
  }
}
