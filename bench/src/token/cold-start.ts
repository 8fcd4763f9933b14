import { type Figure, figure, median } from '../benchmark.js'
import { type Registry, startGrantlog } from './grantlog.js'
import type { Database, Ground } from './ground.js'
import { Requester } from './target.js'

const starts = 3

/** From the start of the process on a migrated database until it has given out its first token. */
export async function measureColdStart(
  ground: Ground,
  registry: Registry,
  database: Database,
  told: (line: string) => void,
): Promise<Figure> {
  const times: number[] = []
  for (let start = 0; start < starts; start++) {
    const began = performance.now()
    const target = await startGrantlog(ground, registry, { database })
    const requester = new Requester(target)
    await requester.clientCredentials()
    times.push((performance.now() - began) / 1000)
    requester.close()
    await target.stop()
    told(`start ${start + 1} of ${starts}: first token after ${times.at(-1)?.toFixed(2)} s`)
  }
  return {
    ...figure('First token after a cold start', 's', { ours: median(times) }, { valueAtMost: 2 }),
    group: 'Extremes',
  }
}
