import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaAvailable, startKafka, startPostgres } from '@grantlog/servers'

/**
 * The servers of a test run, started when the first test asks: one Postgres and one Kafka for all, and for each worker a whole
 * system. Workers ask this process over HTTP; the address is in their environment.
 */
export default async function setup() {
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-tests-'))
  await chmod(folder, 0o755) // Postgres may run as another user
  const started = []
  const shared = new Set()
  const lazy = start => {
    let promise
    return () => {
      promise ??= start()
      return promise
    }
  }
  const servers = {
    '/postgres': lazy(async () => {
      const server = await startPostgres({ dir: join(folder, 'postgres'), persistent: true, durable: false })
      started.push(server)
      return { url: server.url('postgres') }
    }),
    '/kafka': lazy(async () => {
      const available = kafkaAvailable()
      if (!available.ok) throw new Error(available.reason)
      const server = await startKafka({ dir: join(folder, 'kafka') })
      started.push(server)
      return { brokers: server.brokers }
    }),
  }
  const startSystem = async () => {
    const { shareSystem } = await import('../../../e2e/share-system.mjs')
    const { system, found } = await shareSystem()
    shared.add(system)
    return found
  }
  globalThis.stopSharedSystems = async () => {
    const systems = [...shared]
    shared.clear()
    await Promise.all(systems.map(system => system.stop()))
  }
  const control = createServer((request, response) => {
    const path = request.url ?? ''
    if (/^\/system\/\d+$/.test(path)) servers[path] ??= lazy(startSystem)
    const start = servers[path]
    if (!start) return response.writeHead(404).end()
    response.setHeader('connection', 'close') // a worker too busy to hear that an idle one was ended would ask into the void
    start().then(
      answer => response.end(JSON.stringify(answer)),
      error => response.writeHead(500).end(error.message),
    )
  })
  await new Promise(resolve => control.listen(0, '127.0.0.1', resolve))
  process.env.GRANTLOG_TEST_SERVERS = `http://127.0.0.1:${control.address().port}`
  globalThis.stopTestServers = async () => {
    control.closeAllConnections()
    control.close()
    await globalThis.stopSharedSystems()
    await Promise.all(started.map(server => server.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}
