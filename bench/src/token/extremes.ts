import { type Figure, figure } from '../benchmark.js'
import { type Registry, startGrantlog } from './grantlog.js'
import type { Ground } from './ground.js'
import { fill, refreshAny } from './million.js'
import { inTurns, medians, processes, seconds, warmSeconds } from './side-by-side.js'
import type { Target } from './target.js'
import { measure, type Window } from './window.js'
import { clientCredentials, refresh, refreshInTurns, type Work } from './works.js'

const group = 'Extremes'

/** What a crowd asks for, and the same asked by fewer: of 256 families a process remembers none, of 64 it remembers all. */
const crowds: readonly { work: Work; few: Work; fewName: string; bound: { atLeast?: number } }[] = [
  { work: clientCredentials, few: clientCredentials, fewName: '64 connections', bound: { atLeast: 0.8 } },
  {
    work: refresh,
    few: refreshInTurns(256),
    fewName: '64 connections, 256 families',
    bound: { atLeast: 0.8 },
  },
  { work: refresh, few: refresh, fewName: '64 connections, 64 families', bound: {} },
]

/** Many more connections than the service has to its database. */
export async function measureCrowd(
  ground: Ground,
  target: Target,
  told: (line: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { work, few, fewName, bound } of crowds) {
    await measure(ground, target, few, { connections: 64, seconds: warmSeconds })
    const all = await inTurns([256, 64], connections =>
      measure(ground, target, connections === 256 ? work : few, { connections, seconds }),
    )
    const [crowd, fewer] = [medians(all.get(256) ?? []), medians(all.get(64) ?? [])]
    const silence = Math.max(...(all.get(256) ?? []).map(window => window.silence))
    told(
      `${work.name}, 256 connections: ${crowd.perSecond.toFixed(0)}/s, ${fewName} ${fewer.perSecond.toFixed(0)}/s, longest silence ${silence.toFixed(0)} ms`,
    )
    const measured = { ours: crowd.perSecond, peer: fewer.perSecond, peerName: fewName }
    figures.push(figure(`${work.name}, 256 connections`, `${work.unit}/s`, measured, bound))
    if (bound.atLeast === undefined) continue
    figures.push(
      figure(
        `${work.name}, 256 connections, longest silence`,
        'ms',
        { ours: silence },
        { valueAtMost: 1000 },
      ),
    )
  }
  return figures.map(each => ({ ...each, group }))
}

/** Two processes on one database, both on the one core. */
export async function measureInstances(
  ground: Ground,
  registry: Registry,
  one: Target,
  told: (line: string) => void,
): Promise<Figure[]> {
  const database = await ground.database('token_twice')
  const two = await startGrantlog(ground, registry, { database, instances: 2 })
  try {
    const figures: Figure[] = []
    for (const work of [clientCredentials, refresh]) {
      await measure(ground, two, work, { connections: 64, seconds: 2 * warmSeconds })
      const all = await inTurns([two, one], target =>
        measure(ground, target, work, { connections: 64, seconds }),
      )
      const [both, alone] = [medians(all.get(two) ?? []), medians(all.get(one) ?? [])]
      told(
        `${work.name}, two instances on one core: ${both.perSecond.toFixed(0)}/s, one ${alone.perSecond.toFixed(0)}/s`,
      )
      const measured = { ours: both.perSecond, peer: alone.perSecond, peerName: 'one instance' }
      figures.push(figure(`${work.name}, two instances on the same core`, `${work.unit}/s`, measured, {}))
    }
    return figures.map(each => ({ ...each, group }))
  } finally {
    await two.stop()
  }
}

/** Refreshing in a store with a million families, and in one with a thousand. */
export async function measureMillion(
  ground: Ground,
  registry: Registry,
  told: (line: string) => void,
): Promise<Figure[]> {
  const open = async (name: string, count: number) => {
    const database = await ground.database(name)
    const target = await startGrantlog(ground, registry, { database })
    const work = refreshAny(await fill(target, database, count))
    await target.stop()
    told(`${count} families stored`)
    return { database, work, windows: [] as Window[] }
  }
  const stores = [await open('token_thousand', 1000), await open('token_million', 1_000_000)]
  for (let process = 0; process < processes; process++) {
    const running = []
    for (const store of stores)
      running.push({ ...store, target: await startGrantlog(ground, registry, { database: store.database }) })
    for (const { target, work } of running)
      await measure(ground, target, work, { connections: 64, seconds: warmSeconds })
    const all = await inTurns(running, ({ target, work }) =>
      measure(ground, target, work, { connections: 64, seconds }),
    )
    for (const [{ windows, target }, measured] of all) {
      windows.push(...measured)
      await target.stop()
    }
  }
  const [small, big] = stores.map(({ windows }) => medians(windows))
  if (small === undefined || big === undefined) throw new Error('unreachable')
  const measured = { ours: big.perSecond, peer: small.perSecond, peerName: '1,000 families' }
  const name = 'Refresh with 1,000,000 families stored, a new one each time'
  return [{ ...figure(name, 'refreshes/s', measured, { atLeast: 0.9 }), group }]
}
