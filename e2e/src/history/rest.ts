import { audienceOf } from '@grantlog/launcher'
import {
  callsAndEventsAgree,
  type Finding,
  logIsDense,
  oneTimeThings,
  streamsMakeSense,
  topicsEqualStores,
} from './checks.js'
import { readModelsEqualReplay } from './read-models.js'
import { readStores, readTopics, type Store } from './stores.js'
import { asClient } from './token-requests.js'
import type { Workload } from './workload.js'

const tried = 60
/** What the checks themselves ask is none of the history. */
const trace = 'c'.repeat(32)

/** Everything that must hold once nothing is wrong any more and nothing is asked. */
export async function findingsAtRest(
  { cluster, history, holdings, registered }: Workload,
  since: Readonly<Record<string, number>>,
): Promise<Finding[]> {
  const stores = await readStores(cluster.direct)
  const { invocations } = history
  return [
    ...(await readiness(cluster)),
    ...callsAndEventsAgree(invocations, stores, since, trace),
    ...streamsMakeSense(invocations, stores),
    ...oneTimeThings(invocations),
    ...stores.flatMap(logIsDense),
    ...(cluster.kafka ? topicsEqualStores(await readTopics(cluster.direct), stores) : []),
    ...(await readModelsEqualReplay(cluster.direct, stores)),
    ...(await tokensCountAsStored(cluster, holdings, stores)),
    ...(await clientsCountAsStored(cluster, registered, stores)),
  ]
}

type Parts = Pick<Workload, 'cluster' | 'holdings' | 'registered'>

async function readiness({ instances }: Parts['cluster']): Promise<Finding[]> {
  const answers = await Promise.all(
    instances.map(async ({ name, url }) => {
      const response = await ask(`${url}/health/ready`)
      return response.status === 200 ? [] : [`${name} is not ready: ${response.body}`]
    }),
  )
  return answers.flat()
}

/** The API refuses what was revoked and takes the rest; both token services refuse to refresh what was revoked. */
async function tokensCountAsStored(
  { instances, installation, demo }: Parts['cluster'],
  holdings: Parts['holdings'],
  stores: readonly Store[],
): Promise<Finding[]> {
  const revoked = new Set(
    stores.flatMap(({ events }) =>
      events.flatMap(({ type, streamId }) => (type === 'token.revoked' ? streamId : [])),
    ),
  )
  const findings: Finding[] = []
  for (const { familyId, grantId, clientId, accessToken, refreshToken } of holdings.slice(-tried)) {
    const ended = revoked.has(`family-${familyId}`) || revoked.has(`grant-${grantId}`)
    const headers = { authorization: `Bearer ${accessToken}` }
    const read = await ask(audienceOf(installation), { headers })
    if (read.status !== (ended ? 401 : 200))
      findings.push(
        `family ${familyId} (${ended ? '' : 'not '}revoked): the API answers ${read.status} ${read.body}`,
      )
    if (!ended) continue
    for (const { name, url } of instances.filter(({ service }) => service === 'token')) {
      const client = clientId === demo.confidential.id ? demo.confidential : { id: clientId }
      const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const refreshed = await ask(`${url}/token`, asClient({}, client, parameters))
      if (refreshed.status !== 400)
        findings.push(`family ${familyId} is revoked: ${name} answers ${refreshed.status} to its refresh`)
    }
  }
  return findings
}

/** Both token services know of every client whether it is suspended or deleted. */
async function clientsCountAsStored(
  { instances, installation }: Parts['cluster'],
  registered: Parts['registered'],
  stores: readonly Store[],
): Promise<Finding[]> {
  const ended = new Map<string, boolean>()
  for (const { type, streamId } of stores.flatMap(({ events }) => events)) {
    if (type === 'client.suspended' || type === 'client.deleted') ended.set(streamId, true)
    if (type === 'client.reinstated') ended.set(streamId, false)
  }
  const findings: Finding[] = []
  for (const { clientId, secret } of registered.slice(-tried)) {
    const refused = ended.get(`client-${clientId}`) === true
    for (const { name, url } of instances.filter(({ service }) => service === 'token')) {
      const parameters = { grant_type: 'client_credentials', resource: audienceOf(installation) }
      const answer = await ask(`${url}/token`, asClient({}, { id: clientId, secret }, parameters))
      if (answer.status !== (refused ? 401 : 200))
        findings.push(
          `${clientId} (${refused ? '' : 'not '}suspended or deleted): ${name} answers ${answer.status} ${answer.body}`,
        )
    }
  }
  return findings
}

async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const response = await fetch(url, {
    ...init,
    headers: { ...init.headers, traceparent: `00-${trace}-${'c'.repeat(16)}-01` },
    signal: AbortSignal.timeout(10_000),
  })
  return { status: response.status, body: (await response.text()).slice(0, 300) }
}
