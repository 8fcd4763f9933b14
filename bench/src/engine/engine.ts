import type { Benchmark, Figure } from '../benchmark.js'
import { measureAppends } from './appends.js'
import { startGround } from './ground.js'
import { measureIdle } from './idle.js'
import { measurePublishing } from './publishing.js'
import { measureReading } from './reading.js'
import { engineSection } from './section.js'
import { measureStorage } from './storage.js'
import { measureVisibility } from './visible.js'

/** The way of an event: decided, stored, published, read; each step beside what the machine allows. */
export const engine: Benchmark = {
  name: 'engine',
  describe: 'the event engine from command to read model, each step beside its physical limit (needs Kafka)',
  section: engineSection,

  async run(told) {
    const figures: Figure[] = []
    const ground = await startGround()
    try {
      // first: what the bulk of the others leaves for Postgres to clean up would be measured too
      const visibility = await measureVisibility(ground, told)
      figures.push(...(await measureAppends(ground, told)))
      const log = await ground.database('log')
      figures.push(...(await measurePublishing(ground, log, told)))
      figures.push(...(await measureReading(ground, log, told)))
      figures.push(...(await measureStorage(log)))
      figures.push(...visibility)
    } finally {
      await ground.stop()
    }
    figures.push(...(await measureIdle(told)))
    return figures
  },
}
