import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { applyTopics } from '@grantlog/eventing'
import {
  type Backbone,
  createDemo,
  type Demo,
  databaseNames,
  environmentOf,
  Installation,
  ServiceProcess,
  silence,
  temporary,
} from '@grantlog/launcher'
import {
  ensureDatabase,
  freePorts,
  type KafkaBroker,
  type Postgres,
  startKafka,
  startPostgres,
} from '@grantlog/servers'
import { NetworkProxy } from './proxy.js'

const doubled = ['clients', 'consent', 'token'] as const
export type Doubled = (typeof doubled)[number]

/** One of the two processes of a service, and the address that reaches it and not the other. */
export interface Instance {
  readonly name: string
  readonly service: Doubled | 'resource'
  readonly process: ServiceProcess
  readonly url: string
}

/**
 * Two instances of each of clients, consent and token behind a balancer, one of the API; proxies before Postgres and Kafka. The
 * address of `installation.url` is the balancer's.
 */
export interface Cluster {
  readonly installation: Installation
  readonly demo: Demo
  readonly instances: readonly Instance[]
  /** As the checks read the stores: past the proxy. */
  readonly direct: Backbone
  readonly postgres: RestartablePostgres
  readonly postgresProxy: NetworkProxy
  readonly kafka: { readonly broker: KafkaBroker; readonly proxy: NetworkProxy } | undefined
  /** Who ended though nobody had killed it, a sentence each. */
  readonly crashes: readonly string[]
  stop(): Promise<void>
}

/** @param told hears what happens to the processes */
export async function startCluster(
  transport: 'embedded' | 'kafka',
  told: (line: string) => void,
): Promise<Cluster> {
  silence()
  const installation = await Installation.open(temporary(transport))
  const stops: (() => Promise<unknown>)[] = [() => installation.remove()]
  const stop = async () => {
    for (const end of stops.toReversed()) await end()
  }
  try {
    const postgres = await RestartablePostgres.start(join(installation.folder, 'postgres'))
    stops.push(() => postgres.stop())
    const [postgresPort = 0, kafkaPort = 0, ...ports] = await freePorts(2 + 2 * doubled.length)
    const postgresProxy = await NetworkProxy.open(postgresPort, [postgres.port])
    stops.push(() => postgresProxy.close())
    const kafka =
      transport === 'kafka' ? await startBroker(join(installation.folder, 'kafka'), kafkaPort) : undefined
    if (kafka)
      stops.push(
        () => kafka.proxy.close(),
        () => kafka.broker.stop(),
      )

    const topicPrefix = `${installation.secrets.id}.`
    const backbone = (port: number): Backbone => ({
      transport,
      databaseUrl: name => postgres.url(`grantlog_${name}`, port),
      serviceUrl: name => postgres.url(`grantlog_${name}`, port),
      ...(kafka && { kafka: { brokers: [`127.0.0.1:${kafkaPort}`], topicPrefix } }),
    })
    const [direct, proxied] = [backbone(postgres.port), backbone(postgresPort)]
    for (const name of databaseNames) await ensureDatabase(postgres.url('postgres'), `grantlog_${name}`)
    if (kafka) await applyTopics({ clientId: 'history', brokers: kafka.brokers, topicPrefix })

    const instances: Instance[] = []
    const crashes: string[] = []
    const add = async (service: Instance['service'], letter: string, port: number) => {
      const folder = join(installation.folder, letter)
      await mkdir(folder, { recursive: true })
      const env = { ...environmentOf(service, installation, proxied), PORT: String(port) }
      const crashIn = crashFinder()
      const process = new ServiceProcess(service, env, folder, line => {
        told(`${letter}: ${line}`)
        crashes.push(...crashIn(`${letter}: ${line}`))
      })
      instances.push({ name: `${service}-${letter}`, service, process, url: `http://127.0.0.1:${port}` })
      stops.push(() => process.stop())
    }
    for (const [index, service] of doubled.entries()) {
      const own = ports.slice(2 * index, 2 * index + 2)
      for (const [n, letter] of ['a', 'b'].entries()) await add(service, letter, own[n] ?? 0)
      const balancer = await NetworkProxy.open(installation.ports[service], own)
      stops.push(() => balancer.close())
    }
    await add('resource', 'a', installation.ports.resource)
    await Promise.all(instances.map(({ process }) => process.start()))
    const demo = await createDemo(installation, direct)
    return { installation, demo, instances, direct, postgres, postgresProxy, kafka, crashes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One that cannot start, its database being down, ends and is started again: only what had been running has crashed. */
function crashFinder(): (line: string) => string[] {
  let starting = false
  return line => {
    const ended = / ended \(exit code/.test(line)
    const crashed = ended && !starting
    starting = line.includes(' ended while starting') || (starting && !ended)
    return crashed ? [`a service crashed: ${line}`] : []
  }
}

async function startBroker(dir: string, proxyPort: number) {
  const broker = await startKafka({ dir, advertisedPort: proxyPort })
  const proxy = await NetworkProxy.open(proxyPort, [broker.port])
  return { broker, proxy, brokers: [`127.0.0.1:${proxyPort}`] }
}

/** A Postgres that may be killed and comes back on the same data and the same port. */
class RestartablePostgres {
  private constructor(
    private readonly dir: string,
    private server: Postgres,
  ) {}

  static async start(dir: string): Promise<RestartablePostgres> {
    return new RestartablePostgres(dir, await startPostgres({ dir, persistent: true }))
  }

  get port(): number {
    return this.server.port
  }

  url(database: string, port = this.port): string {
    const url = new URL(this.server.url(database))
    url.port = String(port)
    return url.href
  }

  kill(): Promise<void> {
    return this.server.kill()
  }

  /** The orphaned backends of a killed postmaster hold its memory for a moment: until they are gone it is tried again. */
  async restart(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        this.server = await startPostgres({ dir: this.dir, persistent: true, port: this.port })
        return
      } catch (error) {
        if (tries === 50) throw error
        await new Promise(resolve => setTimeout(resolve, 200))
      }
    }
  }

  stop(): Promise<void> {
    return this.server.stop()
  }
}
