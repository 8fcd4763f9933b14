import type { Benchmark, Figure } from '../benchmark.js'
import { measureColdStart } from './cold-start.js'
import { measureCrowd, measureInstances, measureMillion } from './extremes.js'
import { startGrantlog, writeRegistry } from './grantlog.js'
import { startGround } from './ground.js'
import { startOidcProvider } from './oidc-provider.js'
import { tokenSection } from './section.js'
import { measureWorks, memory } from './side-by-side.js'

/** The token service beside the leading server for Node, doing the same work on the same core in the same run. */
export const token: Benchmark = {
  name: 'token',
  describe: 'the token service beside oidc-provider, in memory and on Postgres (needs Linux and two cores)',
  section: tokenSection,

  async run(told) {
    const figures: Figure[] = []
    const ground = await startGround()
    try {
      const registry = await writeRegistry(ground)
      const database = await ground.database('token')
      const peersDatabase = await ground.database('oidc_provider')
      const start = async () => ({
        ours: await startGrantlog(ground, registry, { database }),
        inMemory: await startOidcProvider(ground),
        onPostgres: await startOidcProvider(ground, peersDatabase),
      })
      const { figures: works, windows } = await measureWorks(ground, start, told)
      figures.push(...works)
      const ours = await startGrantlog(ground, registry, { database })
      figures.push(...(await measureCrowd(ground, ours, told)), memory(windows))
      figures.push(...(await measureInstances(ground, registry, ours, told)))
      await ours.stop()
      figures.push(await measureColdStart(ground, registry, database, told))
      figures.push(...(await measureMillion(ground, registry, told)))
    } finally {
      await ground.stop()
    }
    return figures
  },
}
