import { codeClaims } from '@grantlog/contracts'
import { formOf, Visitor } from '@grantlog/demonstration'
import { audienceOf, grantsUrlOf } from '@grantlog/launcher'
import { openCode, parseSealKeys } from '@grantlog/oauth'
import type { Chance } from './chance.js'
import { asClient, hash, tokenRequest } from './token-requests.js'
import { type Holding, instanceOf, pause, type Worker, type Workload } from './workload.js'

/** A person and an application: she approves, it redeems and refreshes, sometimes twice at once, until somebody revokes. */
export const application: Worker = async (workload, chance) => {
  const { demo } = workload.cluster
  let request: RequestInit = {}
  const visitor = new Visitor(() => request)
  const within = async <T>(given: RequestInit, work: () => Promise<T>): Promise<T> => {
    request = given
    return work()
  }

  while (!workload.over) {
    const isPublic = chance.happens(0.5)
    const client = isPublic ? demo.publicClient : demo.confidential
    const sample = workload.cluster.installation.url('sample-client')
    const app: Application = {
      ...client,
      redirectUri: `${sample}/${isPublic ? 'public' : 'confidential'}/callback`,
      verifier: chance.hex(64),
    }
    const code = await approve(workload, chance, app, visitor, within)
    if (code === undefined) {
      await pause(300)
      continue
    }
    let holding = await redeem(workload, chance, app, code)
    if (chance.happens(0.15)) holding = (await redeem(workload, chance, app, code)) ?? holding // a replay, or a second try
    for (let left = chance.between(0, 6); holding && left > 0 && !workload.over; left--)
      holding = await refresh(workload, chance, app, holding)
    if (holding === undefined) continue
    const end = chance.weighted({ owner: 1, client: 1, nobody: 2 })
    if (end === 'owner') await revokeGrant(workload, chance, holding, visitor, within)
    if (end === 'client') await revoke(workload, chance, app, holding)
  }
}

interface Application {
  readonly id: string
  readonly secret?: string
  readonly redirectUri: string
  readonly verifier: string
}
type Within = <T>(request: RequestInit, work: () => Promise<T>) => Promise<T>

async function approve(
  { history, cluster }: Workload,
  chance: Chance,
  app: Application,
  visitor: Visitor,
  within: Within,
): Promise<string | undefined> {
  const { installation, demo } = cluster
  const ask = new URL(`${installation.url('consent')}/authorize`)
  ask.search = new URLSearchParams({
    response_type: 'code',
    client_id: app.id,
    redirect_uri: app.redirectUri,
    scope: 'invoices:read',
    resource: audienceOf(installation),
    state: chance.hex(16),
    code_challenge: hash(app.verifier),
    code_challenge_method: 'S256',
  }).toString()
  let code: string | undefined
  await history.invoke(chance, { operation: 'approve', instance: 'consent', facts: {} }, request =>
    within(request, async () => {
      let page = await visitor.open(ask.href, app.redirectUri)
      if (/name="password"/.test(page.html)) {
        const { email, password } = demo.person
        page = await visitor.submit(page, formOf(page, /sign-in/), { email, password }, app.redirectUri)
      }
      const owner = { owner: `person:${demo.person.id}`, decision: 'approve' }
      page = await visitor.submit(page, formOf(page, /authorize/), owner, app.redirectUri)
      const given = page.url.startsWith(app.redirectUri) ? new URL(page.url).searchParams.get('code') : null
      if (given === null) return { status: page.url.startsWith(app.redirectUri) ? 403 : page.status }
      code = given
      const keys = parseSealKeys(installation.secrets.codeKeys)
      const { codeId, grantId } = codeClaims.parse(await openCode(given, keys, { now: Date.now() / 1000 }))
      return { status: 200, facts: { codeId, grantId } }
    }),
  )
  return code
}

/** Redeems a code at one instance, or at both at once. */
async function redeem(
  workload: Workload,
  chance: Chance,
  app: Application,
  code: string,
): Promise<Holding | undefined> {
  const { history, holdings } = workload
  const attempt = async () => {
    const { url, name: instance } = instanceOf(workload, chance, 'token')
    let holding: Holding | undefined
    const about = { operation: 'redeem', instance, facts: { code: hash(code) } } as const
    await history.invoke(chance, about, async request => {
      const parameters = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: app.redirectUri,
        code_verifier: app.verifier,
      }
      const { answer, said } = await tokenRequest(request, url, app, parameters)
      if (said !== undefined) holding = { ...said.ids, clientId: app.id, ...said.tokens }
      return answer
    })
    if (holding) holdings.push(holding)
    return holding
  }
  const attempts = await Promise.all(chance.happens(0.2) ? [attempt(), attempt()] : [attempt()])
  return attempts.find(holding => holding !== undefined)
}

/** Uses the family's refresh token, or by accident twice at once; once in a while tries again when there was no answer. */
async function refresh(
  workload: Workload,
  chance: Chance,
  app: Application,
  holding: Holding,
): Promise<Holding | undefined> {
  const presented = holding.refreshToken
  const attempt = async () => {
    const { url, name: instance } = instanceOf(workload, chance, 'token')
    const about = { operation: 'refresh', instance, facts: { presented: hash(presented) } } as const
    return workload.history.invoke(chance, about, async request => {
      const parameters = { grant_type: 'refresh_token', refresh_token: presented }
      // by this a public application proves that it is the one that asks again
      const headers = { ...request.headers, 'idempotency-key': hash(`${app.verifier} ${presented}`) }
      const { answer, said } = await tokenRequest({ ...request, headers }, url, app, parameters)
      if (said !== undefined) Object.assign(holding, said.tokens)
      return answer
    })
  }
  const attempts = await Promise.all(chance.happens(0.1) ? [attempt(), attempt()] : [attempt()])
  if (attempts.some(({ outcome }) => outcome === 'ok')) return holding
  const again = attempts.some(({ outcome }) => outcome === 'unknown') && chance.happens(0.5)
  return again && (await attempt()).outcome === 'ok' ? holding : undefined
}

async function revoke(workload: Workload, chance: Chance, app: Application, holding: Holding): Promise<void> {
  const { url, name: instance } = instanceOf(workload, chance, 'token')
  const about = { operation: 'revoke', instance, facts: { familyId: holding.familyId } } as const
  await workload.history.invoke(chance, about, async request => {
    const body = { token: holding.refreshToken }
    const response = await fetch(`${url}/revoke`, asClient(request, app, body))
    await response.arrayBuffer()
    return { status: response.status }
  })
}

/** As its owner does it: on “your grants”. */
async function revokeGrant(
  { history, cluster }: Workload,
  chance: Chance,
  { grantId }: Holding,
  visitor: Visitor,
  within: Within,
): Promise<void> {
  const about = { operation: 'revoke-grant', instance: 'consent', facts: { grantId } } as const
  await history.invoke(chance, about, request =>
    within(request, async () => {
      const page = await visitor.open(grantsUrlOf(cluster.installation))
      const answered = await visitor.submit(page, formOf(page, new RegExp(`${grantId}/revoke`)), {})
      return { status: answered.status }
    }),
  )
}
