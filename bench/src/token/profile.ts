import { mkdir, readdir, readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Benchmark, type Figure, figure } from '../benchmark.js'
import { startGrantlog, writeRegistry } from './grantlog.js'
import { startGround } from './ground.js'
import { profileSection } from './section.js'
import { measure } from './window.js'
import { clientCredentials, introspection, refresh, revocation } from './works.js'

const seconds = 5
const areasShown = 14

/** Where the token service's process spends its time under load. `PROFILE_DIR` keeps the .cpuprofile files. */
export const profile: Benchmark = {
  name: 'profile',
  describe: 'where the processor time of the token service goes, by area of the code',
  section: profileSection,

  async run(told) {
    const ground = await startGround()
    try {
      const registry = await writeRegistry(ground)
      const database = await ground.database('token')
      const figures: Figure[] = []
      for (const work of [clientCredentials, refresh, introspection, revocation]) {
        const folder = join(
          process.env.PROFILE_DIR ?? ground.folder,
          work.name.toLowerCase().replaceAll(' ', '-'),
        )
        await mkdir(folder, { recursive: true })
        const env = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` }
        const target = await startGrantlog(ground, registry, { database, env })
        const window = await measure(ground, target, work, { connections: 64, seconds })
        await target.stop()
        told(
          `${work.name}: ${window.serviceMicroseconds.toFixed(0)} µs per operation, ${window.allMicroseconds.toFixed(0)} µs with Postgres`,
        )
        const [file = ''] = await readdir(folder)
        const areas = await areasOf(JSON.parse(await readFile(join(folder, file), 'utf8')))
        for (const [area, share] of areas.slice(0, areasShown))
          figures.push({ ...figure(area, '% of its time', { ours: share * 100 }, {}), group: work.name })
      }
      return figures
    } finally {
      await ground.stop()
    }
  },
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

interface CpuProfile {
  readonly nodes: readonly { id: number; callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Shares of the time that was not idle, by area, the largest first. Of the last seconds only: a start is something else. */
async function areasOf({ nodes, samples, timeDeltas }: CpuProfile): Promise<[area: string, share: number][]> {
  const maps = await mapsOf(nodes.map(({ callFrame }) => callFrame.url))
  const areas = new Map(nodes.map(({ id, callFrame }) => [id, areaOf(callFrame, maps.get(callFrame.url))]))
  const times = new Map<string, number>()
  let left = timeDeltas.reduce((sum, delta) => sum + delta, 0)
  for (const [index, id] of samples.entries()) {
    left -= timeDeltas[index] ?? 0
    if (left > seconds * 1e6) continue
    const area = areas.get(id) ?? ''
    times.set(area, (times.get(area) ?? 0) + (timeDeltas[index] ?? 0))
  }
  times.delete('(idle)')
  const busy = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .map(([area, time]): [string, number] => [area, time / busy])
    .sort(([, one], [, other]) => other - one)
}

/** Of what is bundled, for a service is one file: where its parts come from. */
async function mapsOf(urls: readonly string[]): Promise<Map<string, SourceMap>> {
  const bundles = [...new Set(urls)].filter(url => url.startsWith('file:'))
  return new Map(
    await Promise.all(
      bundles.map(async (url): Promise<[string, SourceMap]> => {
        const map = await readFile(fileURLToPath(`${url}.map`), 'utf8')
        return [url, new SourceMap(JSON.parse(map))]
      }),
    ),
  )
}

function areaOf({ functionName, url, lineNumber, columnNumber }: CallFrame, map?: SourceMap): string {
  const entry = map?.findEntry(lineNumber, columnNumber)
  const source = entry && 'originalSource' in entry ? new URL(entry.originalSource, url).href : url
  const [, area] =
    /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(source) ??
    /\/((?:libs|apps)\/[^/]+)\//.exec(source) ??
    /^(node:(?:internal\/)?[^/]+)/.exec(source) ??
    []
  return area ?? (source === '' ? functionName : source)
}
