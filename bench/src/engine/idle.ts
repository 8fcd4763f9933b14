import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Installation, System, silence } from '@grantlog/launcher'
import { type Figure, figure } from '../benchmark.js'

const settleSeconds = 3
const idleSeconds = 10

/** The token service as it runs, with all of the system beside it, and nothing to do. */
export async function measureIdle(told: (line: string) => void): Promise<Figure[]> {
  silence()
  const figures: Figure[] = []
  for (const transport of ['embedded', 'kafka'] as const) {
    const options = {
      transport,
      once: true,
      json: false,
      fresh: false,
      dev: false,
      data: undefined,
      portBase: 4000,
    }
    const system = new System(await Installation.open(options), options)
    try {
      await system.start()
      await seconds(settleSeconds)
      const { pid = 0 } = system.service('token')
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

/** The processor time that a process has used. */
async function cpuSeconds(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100 // utime and stime, in hundredths
  }
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'time='])
  return stdout
    .trim()
    .split(':')
    .reduce((total, part) => total * 60 + Number(part), 0)
}

const seconds = (count: number) => new Promise(resolve => setTimeout(resolve, count * 1000))
