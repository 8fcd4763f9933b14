import type { Benchmark, Figure } from '../benchmark.js'
import { measureMemory } from './memory.js'
import { guardSection } from './section.js'
import { measureThroughput } from './throughput.js'

/** What a resource server pays for each request, and holds in memory. */
export const guard: Benchmark = {
  name: 'guard',
  describe: 'the guard of a resource server beside jose’s jwtVerify, and what a million revocations take',
  section: guardSection,

  async run(told) {
    const figures: Figure[] = []
    for (const part of [measureThroughput, measureMemory]) figures.push(...(await part(told)))
    return figures
  },
}
