import { Installation, System, silence, temporary } from '@grantlog/launcher'
import { type Figure, figure } from '../benchmark.js'
import { cpuSeconds } from '../processor.js'

const settleSeconds = 3
const idleSeconds = 10

/** The token service as it runs, with all of the system beside it, and nothing to do. */
export async function measureIdle(told: (line: string) => void): Promise<Figure[]> {
  silence()
  const figures: Figure[] = []
  for (const transport of ['embedded', 'kafka'] as const) {
    const options = temporary(transport)
    const system = new System(await Installation.open(options), options)
    try {
      await system.start()
      await seconds(settleSeconds)
      const [pid = 0] = system.service('token').pids
      const before = await cpuSeconds(pid)
      await seconds(idleSeconds)
      const share = ((await cpuSeconds(pid)) - before) / idleSeconds
      told(`idle, ${transport}: ${(share * 100).toFixed(1)} %`)
      figures.push(figure(`Idle token service, ${transport}`, '% of a core', { ours: share * 100 }, {}))
    } finally {
      await system.stop()
    }
  }
  return figures
}

const seconds = (count: number) => new Promise(resolve => setTimeout(resolve, count * 1000))
