import { createHash } from 'node:crypto'
import { eventually } from '@grantlog/testing'
import { expect } from '@jest/globals'
import { Ada, type RunningSystem, untilStatus } from '../running-system.js'
import { csrfOf, encoded, Requests, type Sent, wordsOf } from './requests.js'

/** The browsers and the grants that consent's requests are about; each request is right but for one thing. */
export interface World {
  readonly requests: Requests
  /** Cookies: of nobody, of Ada, and of a plain member of her company. */
  readonly nobody: string
  readonly ada: string
  readonly member: string
  readonly adasGrant: string
  readonly companysGrant: string
  readonly registered: Registered
  /** Of the operator, for accounts; and one that may only read clients. */
  readonly operatorToken: string
  readonly readerToken: string
}

/** Applications and APIs of which something is to be refused. */
interface Registered {
  /** May ask for `shared:read`, which two APIs know; has two redirect URIs. */
  readonly client: string
  readonly suspendedClient: string
  readonly suspendedApi: string
}

export type Fields = Readonly<Record<string, string | undefined>>

/** Belongs to Ada's company, and is not its administrator. */
export const charles = {
  email: 'charles@example.com',
  name: 'Charles Babbage',
  password: 'difference-engine',
}
/** An id of nothing. */
export const unknownId = '0199aa00-0000-4000-8000-0000000000f1'
export const interaction = '0199aa00-0000-4000-8000-0000000000aa'

export async function createWorld(requests: Requests): Promise<World> {
  const { running } = requests
  const { demo } = running
  requests.secret(demo.person.password)
  const operatorToken = await requests.platformToken(demo.operator)
  const readerToken = await requests.platformToken(demo.operator, 'clients:read')
  await addMember(requests, operatorToken)
  const registered = await register(requests, operatorToken)
  const { log } = await running.logged(async () => {
    for (const owner of [`person:${demo.person.id}`, `organization:${demo.company.id}`])
      await new Ada(running).answer(
        requests.url(`/authorize?${queryOf(running)}`),
        `${running.installation.url('sample-client')}/confidential`,
        { owner },
      )
  })
  const [adasGrant, companysGrant] = log
    .filter(line => line.type === 'grant.approved')
    .map(line => String(line.data.grantId))
  if (adasGrant === undefined || companysGrant === undefined) throw new Error('Ada granted nothing')
  return {
    requests,
    nobody: await newCookie(requests),
    ada: await signIn(requests, demo.person),
    member: await signIn(requests, charles),
    adasGrant,
    companysGrant,
    registered,
    operatorToken,
    readerToken,
  }
}

/** The authorization request of the confidential client, changed: undefined leaves a parameter out. */
export function queryOf({ installation, demo, audience }: RunningSystem, change: Fields = {}, more = '') {
  const right = {
    response_type: 'code',
    client_id: demo.confidential.id,
    redirect_uri: `${installation.url('sample-client')}/confidential/callback`,
    scope: 'invoices:read',
    resource: audience,
    state: 'a state',
    code_challenge: createHash('sha256').update('a verifier').digest('base64url'),
    code_challenge_method: 'S256',
  }
  return encoded({ ...right, ...change }, more)
}

export function get(path: string, cookie?: string): Sent {
  return {
    path,
    headers: { accept: 'text/html', ...(cookie !== undefined && { cookie: `grantlog=${cookie}` }) },
  }
}

/** A form as a browser sends it. */
export function post(path: string, cookie: string | undefined, form: Fields | Sent['body']): Sent {
  const isText = typeof form === 'string' || form instanceof Uint8Array
  return {
    path,
    headers: {
      accept: 'text/html',
      'content-type': 'application/x-www-form-urlencoded',
      ...(cookie !== undefined && { cookie: `grantlog=${cookie}` }),
    },
    body: isText ? form : encoded(form ?? {}),
  }
}

/** One of consent's forms: filled in rightly, by the browser that it was made for. */
export interface RightForm {
  readonly path: string
  readonly cookie: string
  readonly purpose: string
  readonly fields: Fields
}

export const forms: readonly { readonly name: string; readonly of: (world: World) => RightForm }[] = [
  { name: 'POST /sign-in', of: ({ nobody }) => signInForm(nobody, 'nobody@example.com') },
  {
    name: 'POST /sign-out',
    of: ({ ada }) => ({ path: '/sign-out', cookie: ada, purpose: 'sign-out', fields: {} }),
  },
  { name: 'POST /authorize', of: world => decisionForm(world) },
  {
    name: 'POST /device',
    of: ({ ada }) => ({
      path: '/device',
      cookie: ada,
      purpose: 'device',
      fields: { user_code: 'BCDF-GHJK' },
    }),
  },
  {
    name: 'POST /device/decision',
    of: ({ ada, requests: { running } }) => ({
      path: '/device/decision',
      cookie: ada,
      purpose: `device ${interaction} BCDF-GHJK`,
      fields: {
        interaction,
        user_code: 'BCDF-GHJK',
        owner: `person:${running.demo.person.id}`,
        decision: 'approve',
      },
    }),
  },
  { name: 'POST /grants/:id/revoke', of: world => revocationForm(world.ada, world.adasGrant) },
]

export function signInForm(cookie: string, email: string, password = 'a wrong password'): RightForm {
  return { path: '/sign-in', cookie, purpose: 'sign-in', fields: { email, password } }
}

export function decisionForm(
  { requests, ada }: World,
  query = queryOf(requests.running),
  cookie = ada,
): RightForm {
  const fields = {
    interaction,
    request: query,
    owner: `person:${requests.running.demo.person.id}`,
    decision: 'approve',
  }
  return { path: '/authorize', cookie, purpose: `authorize ${interaction} ${query}`, fields }
}

export function revocationForm(cookie: string, grantId: string): RightForm {
  const path = `/grants/${encodeURIComponent(grantId)}/revoke`
  return { path, cookie, purpose: `revoke ${grantId}`, fields: {} }
}

/** A right form, changed. */
export function filled(
  { running }: Requests,
  { path, cookie, purpose, fields }: RightForm,
  change: Fields = {},
  more = '',
): Sent {
  const csrf = csrfOf(running, cookie, purpose)
  return post(path, cookie, encoded({ csrf, ...fields, ...change }, more))
}

/** The cookie that an answer sets. */
export function cookieOf(response: Response): string {
  const [, cookie] = /^grantlog=([^;]*)/.exec(response.headers.getSetCookie()[0] ?? '') ?? []
  if (cookie === undefined) throw new Error(`${response.url} (${response.status}) sets no cookie`)
  return cookie
}

export async function newCookie(requests: Requests): Promise<string> {
  return requests.secret(cookieOf(await requests.send(get('/sign-in'))))
}

/** @returns the cookie of the session */
export async function signIn(
  requests: Requests,
  person: { email: string; password: string },
  before?: string,
): Promise<string> {
  const cookie = before ?? (await newCookie(requests))
  const form = signInForm(cookie, person.email, requests.secret(person.password))
  return requests.secret(cookieOf(await requests.send(filled(requests, form))))
}

async function addMember(requests: Requests, token: string): Promise<void> {
  const call = operatorCalls(requests, token)
  const { account_id } = await call('/accounts', charles)
  await call(`/organizations/${requests.running.demo.company.id}/members`, { account_id, role: 'member' })
}

async function register(consent: Requests, token: string): Promise<Registered> {
  const { installation } = consent.running
  const call = operatorCalls(new Requests(consent.running, 'clients'), token)
  const callback = `${installation.url('sample-client')}/confidential/callback`
  const scopes = [{ name: 'shared:read', text: 'Read what two APIs have', access: 'read' }]
  const suspendedApi = 'https://asleep.example/'
  await call('/apis', { api_id: 'awake', audience: 'https://awake.example/', name: 'Awake', scopes })
  await call('/apis', { api_id: 'asleep', audience: suspendedApi, name: 'Asleep', scopes })
  await call('/apis/asleep/suspend', { reason: 'maintenance' })
  const app = { client_name: 'Sharer', redirect_uris: [callback, `${callback}?a=1`], scope: 'shared:read' }
  const { client_id: client = '' } = await call('/clients', app)
  const { client_id: suspendedClient = '' } = await call('/clients', { ...app, client_name: 'Gone' })
  await call(`/clients/${suspendedClient}/suspend`, { reason: 'phishing' })

  // consent hears of it by events, and of each kind in a projection of its own
  await eventually(async () => {
    const ask = (change: Fields) => consent.send(get(`/authorize?${queryOf(consent.running, change)}`))
    expect(wordsOf(await (await ask({ client_id: suspendedClient })).text())).toContain('suspended')
    const asked = await ask({ client_id: client, scope: 'shared:read', resource: suspendedApi })
    expect(asked.headers.get('location')).toContain('takes+no+tokens')
  })
  return { client, suspendedClient, suspendedApi }
}

/** Calls that must succeed, as soon as the service has heard of the key that signed the token. */
function operatorCalls(requests: Requests, token: string) {
  return async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const send = () => requests.send({ path, headers, body: JSON.stringify(body) })
    const response = await untilStatus(path.endsWith('/suspend') ? 200 : 201, send)
    return (await response.json()) as Record<string, string>
  }
}
