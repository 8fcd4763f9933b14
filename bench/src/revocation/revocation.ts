import { type Benchmark, type Figure, figure } from '../benchmark.js'
import { percentile } from '../engine/rounds.js'
import { cpuSeconds } from '../processor.js'
import { Connection } from '../token/connection.js'
import { type Ground, type Resource, startGround } from './ground.js'
import { Load } from './load.js'
import { revocationSection } from './section.js'

const revocations = 1000
const perSecond = 500
/** Tokens that the load uses in turn. */
const inUse = 100
const costSeconds = 5
const giveUpMilliseconds = 10_000

const channels = [
  { name: 'Kafka', resource: 'kafka', p99: 50 },
  { name: 'HTTP feed', resource: 'http', p99: 100 },
] as const

/** How long a revoked token goes on being accepted: from the answer to `/revoke` until a resource server’s first 401. */
export const revocation: Benchmark = {
  name: 'revocation',
  describe: 'revoked → denied at resource servers, on Kafka and over HTTP, beside introspection',
  section: revocationSection,

  async run(told) {
    const ground = await startGround()
    try {
      const figures: Figure[] = []
      const used = await ground.accessTokens(inUse)
      for (const { name, resource, p99 } of channels) {
        const found = await measure(ground, ground.resources[resource], used)
        told(`${name}: p99 ${found.p99.toFixed(1)} ms, ${found.load.toFixed(0)} requests/s beside it`)
        figures.push(...latencies(name, found, p99))
      }
      figures.push(...(await beside(ground, used, told)))
      return figures
    } finally {
      await ground.stop()
    }
  },
}

interface Found {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly acceptedLater: number
  readonly load: number
  readonly refused: number
}

/** One revocation after the other, while others ask too. */
async function measure(ground: Ground, resource: Resource, used: readonly string[]): Promise<Found> {
  const tokens = await ground.accessTokens(revocations)
  const load = new Load(resource.port, perSecond, async (connection, number) => {
    const { status } = await connection.get(resource.path, `Bearer ${used[number % inUse]}`)
    return status
  })
  const [revoker, asker] = [new Connection(ground.tokenPort), new Connection(resource.port)]
  const denied = async (token: string) => (await asker.get(resource.path, `Bearer ${token}`)).status === 401
  const took: number[] = []
  for (const token of tokens) {
    if (await denied(token)) throw new Error('A token was refused before it was revoked')
    const { status } = await revoker.post('/revoke', ground.basic, `token=${token}`)
    if (status !== 200) throw new Error(`/revoke answers ${status}`)
    const acknowledged = performance.now()
    while (!(await denied(token))) {
      if (performance.now() - acknowledged > giveUpMilliseconds)
        throw new Error('A revoked token is accepted')
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    took.push(performance.now() - acknowledged)
  }
  let acceptedLater = 0
  for (const token of tokens) if (!(await denied(token))) acceptedLater += 1
  for (const connection of [revoker, asker]) connection.close()
  const rate = await load.stop()
  return {
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
    max: Math.max(...took),
    acceptedLater,
    load: rate,
    refused: (load.answers.get(401) ?? 0) + (load.answers.get(503) ?? 0),
  }
}

function latencies(group: string, found: Found, p99: number): Figure[] {
  const ms = (name: string, ours: number, valueAtMost?: number) => ({
    group,
    ...figure(name, 'ms', { ours }, valueAtMost === undefined ? {} : { valueAtMost }),
  })
  const count = (name: string, ours: number) => ({ group, ...figure(name, '', { ours }, { valueAtMost: 0 }) })
  return [
    ms('Revoked → denied, p50', found.p50),
    ms('Revoked → denied, p99', found.p99, p99),
    ms('Revoked → denied, max', found.max, 1000),
    count(`Accepted again, of ${revocations}`, found.acceptedLater),
    {
      group,
      ...figure('Requests beside it', 'per second', { ours: found.load }, { valueAtLeast: 0.95 * perSecond }),
    },
    count('Good tokens refused', found.refused),
  ]
}

/** What the same requests cost the issuer where the resource server asks it about each token; and where it follows the feed. */
async function beside(
  ground: Ground,
  used: readonly string[],
  told: (line: string) => void,
): Promise<Figure[]> {
  const { http } = ground.resources
  const byFeed = await cost(
    ground,
    new Load(http.port, perSecond, async (connection, number) => {
      const { status } = await connection.get(http.path, `Bearer ${used[number % inUse]}`)
      return status
    }),
  )
  const byAsking = await cost(
    ground,
    new Load(ground.tokenPort, perSecond, async (connection, number) => {
      const form = `token=${used[number % inUse]}`
      const { status, body } = await connection.post('/introspect', ground.basic, form)
      if (!body.includes('"active":true')) throw new Error(`/introspect answers ${status} ${body}`)
      return status
    }),
  )
  told(`introspection: ${byAsking.requests.toFixed(0)} requests/s to the issuer`)
  const group = 'What it costs the issuer'
  const peerName = 'introspection'
  return [
    {
      group,
      ...figure(
        'Requests of a resource server',
        'per second',
        { ours: byFeed.requests, peer: byAsking.requests, peerName },
        {},
      ),
    },
    {
      group,
      ...figure(
        'Processor time of the token service',
        'ms/s',
        { ours: byFeed.cpu, peer: byAsking.cpu, peerName },
        {},
      ),
    },
  ]
}

/** What reaches the token service in a few seconds of a load, and what it spends on it. */
async function cost(
  { tokenPort, tokenPids }: Ground,
  load: Load,
): Promise<{ requests: number; cpu: number }> {
  const seconds = async () => {
    const each = await Promise.all(tokenPids.map(cpuSeconds))
    return each.reduce((sum, used) => sum + used, 0)
  }
  const before = { requests: await requestsAnswered(tokenPort), seconds: await seconds() }
  await new Promise(resolve => setTimeout(resolve, costSeconds * 1000))
  const after = { requests: await requestsAnswered(tokenPort), seconds: await seconds() }
  await load.stop()
  return {
    requests: (after.requests - before.requests) / costSeconds,
    cpu: ((after.seconds - before.seconds) * 1000) / costSeconds,
  }
}

/** By the service’s own count, but for those that ask for it. */
async function requestsAnswered(port: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const counts = metrics.matchAll(
    /^http_request_duration_seconds_count\{(?!.*\/(?:metrics|health)).*\} (\d+)$/gm,
  )
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}
