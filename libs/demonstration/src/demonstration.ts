import { randomBytes } from 'node:crypto'
import type { Site } from './site.js'

const platformAudience = 'urn:grantlog:platform'

/** The platform's first client, which registers everybody else. */
export interface Operator {
  readonly id: string
  readonly secret: string
}

/** What was made: people, a company, an API and the applications that ask for it. */
export interface Demonstration {
  readonly confidential: { readonly id: string; readonly secret: string }
  readonly publicClient: { readonly id: string }
  readonly proofClient: { readonly id: string }
  /** As whom the API reports how far it has applied the revocations. */
  readonly apiClient: { readonly id: string; readonly secret: string }
  readonly person: {
    readonly id: string
    readonly name: string
    readonly email: string
    readonly password: string
  }
  readonly company: { readonly id: string; readonly name: string }
  readonly prover: { readonly email: string; readonly password: string }
  /** Those with invoices, as the sample API's `seed` takes them: `person:<id>`. */
  readonly owners: readonly string[]
}

type Answer = Readonly<Record<string, unknown>>

/** Does a piece of work, unless an earlier run has: then its outcome, as it was. */
export type Once = (what: string, work: () => Promise<Answer>) => Promise<Answer>

/**
 * Makes the demonstration as any operator would: over HTTP, with a token of the platform.
 * @param once what makes it possible to go on where an earlier run was cut off
 * @throws Error with the request and its answer
 */
export async function makeDemonstration(
  site: Site,
  operator: Operator,
  once: Once = (_, work) => work(),
): Promise<Demonstration> {
  const { clients, consent, application } = site
  const call = await operatorCalls(site, operator)
  const make = (what: string, url: string, body: object) => once(what, () => call(url, body))

  await make('api', `${clients}/apis`, {
    api_id: 'invoices',
    audience: site.audience,
    name: 'Invoices',
    scopes: [
      { name: 'invoices:read', text: 'Read your invoices', access: 'read' },
      { name: 'invoices:write', text: 'Create invoices in your name', access: 'write' },
    ],
    access_token_seconds: 600,
  })
  const app = {
    client_uri: application,
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'invoices:read invoices:write',
  }
  const confidential = await make('confidential client', `${clients}/clients`, {
    ...app,
    client_name: 'Ledgerly',
    redirect_uris: [`${application}/confidential/callback`],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const publicClient = await make('public client', `${clients}/clients`, {
    ...app,
    client_name: 'Pocket Ledger',
    redirect_uris: [`${application}/public/callback`],
    token_endpoint_auth_method: 'none',
  })
  const proofClient = await make('proof client', `${clients}/clients`, {
    ...app,
    client_name: 'Self-proof',
    redirect_uris: ['http://127.0.0.1/callback'],
    token_endpoint_auth_method: 'none',
  })
  const apiClient = await make('API’s client', `${clients}/clients`, {
    client_name: 'Invoices API',
    grant_types: ['client_credentials'],
    scope: 'revocations:read',
    token_endpoint_auth_method: 'client_secret_basic',
  })

  const person = { name: 'Ada Byron', email: 'ada@example.com', password: 'analytical-engine' }
  const ada = await make('person', `${consent}/accounts`, person)
  const proverEmail = 'proof@example.com'
  const { password } = await once('password', async () => ({
    password: randomBytes(18).toString('base64url'),
  }))
  const proverPassword = text(password)
  const prover = await make('prover', `${consent}/accounts`, {
    name: 'Self-proof',
    email: proverEmail,
    password: proverPassword,
  })
  const company = { name: 'Analytical Engines Ltd' }
  const organization = await make('company', `${consent}/organizations`, company)
  const companyId = text(organization.organization_id)
  const adaId = text(ada.account_id)
  await make('membership', `${consent}/organizations/${companyId}/members`, {
    account_id: adaId,
    role: 'administrator',
  })

  return {
    confidential: { id: text(confidential.client_id), secret: text(confidential.client_secret) },
    publicClient: { id: text(publicClient.client_id) },
    proofClient: { id: text(proofClient.client_id) },
    apiClient: { id: text(apiClient.client_id), secret: text(apiClient.client_secret) },
    person: { ...person, id: adaId },
    company: { ...company, id: companyId },
    prover: { email: proverEmail, password: proverPassword },
    owners: [`person:${adaId}`, `person:${text(prover.account_id)}`, `organization:${companyId}`],
  }
}

type Call = (url: string, body: object) => Promise<Answer>

/** The operator's token arrives as soon as the token service has heard of the operator. */
async function operatorCalls({ issuer }: Site, operator: Operator): Promise<Call> {
  const token = await eventually(async () => {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${operator.id}:${operator.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: platformAudience }),
    })
    return { response, body: await bodyOf(response) }
  }, 'The token service did not accept the operator')
  return (url, body) =>
    eventually(async () => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${text(token.access_token)}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { response, body: await bodyOf(response) }
    }, `POST ${url} failed`)
}

/** Services learn from each other by events: what one just said, another may not know for some milliseconds. */
async function eventually(
  attempt: () => Promise<{ response: Response; body: Answer }>,
  failure: string,
): Promise<Answer> {
  const until = Date.now() + 15_000
  // a secret that is wrong is not tried often: the platform takes that for an attack
  for (let pause = 100; ; pause *= 2) {
    const { response, body } = await attempt()
    if (response.ok) return body
    const mayHeal = [401, 502, 503].includes(response.status) || body.error === 'invalid_target'
    if (!mayHeal || Date.now() + pause > until)
      throw new Error(`${failure}: ${response.status} ${JSON.stringify(body)}`)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}

/** A proxy’s own answer is no JSON. */
const bodyOf = (response: Response) => response.json().catch(() => ({})) as Promise<Answer>

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('A service answered without an id that it should have given')
  return value
}
