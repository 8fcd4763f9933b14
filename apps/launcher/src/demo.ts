import { randomBytes } from 'node:crypto'
import { audienceOf, type Backbone, environmentOf } from './environment.js'
import type { Demo, Installation } from './installation.js'
import { runCommand } from './service-process.js'

const platformAudience = 'urn:grantlog:platform'

/**
 * Makes the demonstration's API, applications, people and company as any operator would: by the services' own commands and
 * HTTP interfaces, with a token of the platform.
 */
export async function createDemo(installation: Installation, backbone: Backbone): Promise<Demo> {
  const operator = await bootstrap(installation, backbone)
  const call = await operatorCalls(installation, operator)
  const clients = installation.url('clients')
  const consent = installation.url('consent')

  await call(`${clients}/apis`, {
    api_id: 'invoices',
    audience: audienceOf(installation),
    name: 'Invoices',
    scopes: [
      { name: 'invoices:read', text: 'Read your invoices', access: 'read' },
      { name: 'invoices:write', text: 'Create invoices in your name', access: 'write' },
    ],
    access_token_seconds: 600,
  })
  const app = {
    client_uri: installation.url('sample-client'),
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'invoices:read invoices:write',
  }
  const confidential = await call(`${clients}/clients`, {
    ...app,
    client_name: 'Ledgerly',
    redirect_uris: [`${installation.url('sample-client')}/confidential/callback`],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const publicClient = await call(`${clients}/clients`, {
    ...app,
    client_name: 'Pocket Ledger',
    redirect_uris: [`${installation.url('sample-client')}/public/callback`],
    token_endpoint_auth_method: 'none',
  })
  const proofClient = await call(`${clients}/clients`, {
    ...app,
    client_name: 'Self-proof',
    redirect_uris: ['http://127.0.0.1/callback'],
    token_endpoint_auth_method: 'none',
  })

  const person = { name: 'Ada Byron', email: 'ada@example.com', password: 'analytical-engine' }
  const prover = {
    name: 'Self-proof',
    email: 'proof@example.com',
    password: randomBytes(18).toString('base64url'),
  }
  const ada = await call(`${consent}/accounts`, person)
  const proverAccount = await call(`${consent}/accounts`, prover)
  const company = { name: 'Analytical Engines Ltd' }
  const organization = await call(`${consent}/organizations`, company)
  await call(`${consent}/organizations/${organization.organization_id}/members`, {
    account_id: ada.account_id,
    role: 'administrator',
  })

  const owners = [
    `person:${ada.account_id}`,
    `person:${proverAccount.account_id}`,
    `organization:${organization.organization_id}`,
  ]
  await runCommand('resource', ['seed', ...owners], environmentOf('resource', installation, backbone))

  return {
    operator,
    confidential: { id: text(confidential.client_id), secret: text(confidential.client_secret) },
    publicClient: { id: text(publicClient.client_id) },
    proofClient: { id: text(proofClient.client_id) },
    person: { ...person, id: text(ada.account_id) },
    company: { ...company, id: text(organization.organization_id) },
    prover: { email: prover.email, password: prover.password },
  }
}

async function bootstrap(installation: Installation, backbone: Backbone): Promise<Demo['operator']> {
  const out = await runCommand(
    'clients',
    ['bootstrap', '--json'],
    environmentOf('clients', installation, backbone),
  )
  const printed = JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>
  return { id: text(printed.client_id), secret: text(printed.client_secret) }
}

type Call = (url: string, body: object) => Promise<Record<string, unknown>>

/** The operator's token arrives as soon as the token service has heard of the operator. */
async function operatorCalls(installation: Installation, operator: Demo['operator']): Promise<Call> {
  const token = await eventually(async () => {
    const response = await fetch(`${installation.url('token')}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${operator.id}:${operator.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: platformAudience }),
    })
    return { response, body: (await response.json()) as Record<string, unknown> }
  }, 'The token service did not accept the operator')
  return (url, body) =>
    eventually(async () => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${text(token.access_token)}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { response, body: (await response.json()) as Record<string, unknown> }
    }, `POST ${url} failed`)
}

/** Services learn from each other by events: what one just said, another may not know for some milliseconds. */
async function eventually(
  attempt: () => Promise<{ response: Response; body: Record<string, unknown> }>,
  failure: string,
): Promise<Record<string, unknown>> {
  for (const until = Date.now() + 15_000; ; ) {
    const { response, body } = await attempt()
    if (response.ok) return body
    const mayHeal = [401, 503].includes(response.status) || body.error === 'invalid_target'
    if (!mayHeal || Date.now() > until)
      throw new Error(`${failure}: ${response.status} ${JSON.stringify(body)}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('A service answered without an id that it should have given')
  return value
}
