import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { KafkaBroker } from '@grantlog/servers'
import { adminOf, startBackbone } from './backbone.js'
import { say, step } from './console.js'
import { createDemo } from './demo.js'
import {
  type Backbone,
  type DatabaseName,
  databaseNames,
  environmentOf,
  migrationEnvironment,
} from './environment.js'
import { type Demo, type Installation, root, type ServiceName, serviceNames } from './installation.js'
import type { Options } from './options.js'
import { type Rebuilder, rebuildOnChange } from './rebuild.js'
import { ServiceGroup } from './service-group.js'
import { runCommand } from './service-process.js'

const authorizationServices = ['clients', 'consent', 'token'] as const satisfies readonly ServiceName[]

/** Everything on one machine: Postgres, perhaps Kafka, each service as a process of its own, and the demonstration. */
export class System {
  readonly #services = new Map<ServiceName, ServiceGroup>()
  readonly #migrated = new Set<DatabaseName>()
  #broker: KafkaBroker | undefined
  #stopBackbone: (() => Promise<void>) | undefined
  #rebuilder: Rebuilder | undefined
  readonly #watchers: FSWatcher[] = []
  #stopping: Promise<void> | undefined

  constructor(
    private readonly installation: Installation,
    private readonly options: Options,
    /** Settings of services beside those that every installation has. */
    private readonly settings: Partial<Record<ServiceName, NodeJS.ProcessEnv>> = {},
    /** How many processes of each there are; the sample application keeps its sessions in memory. */
    private readonly instances: Partial<Record<ServiceName, number>> = Object.fromEntries(
      databaseNames.map(name => [name, options.instances]),
    ),
  ) {}

  async start(): Promise<{ backbone: Backbone; demo: Demo }> {
    const { installation } = this
    const backbone = await this.startPlatform()
    if (installation.demo === undefined) {
      await this.#migrate('resource', backbone) // the demonstration puts invoices into its tables
      const demo = await step(
        'demonstration',
        () => createDemo(installation, backbone),
        ({ person, company }) => `${person.name}, ${company.name}, an API, two applications`,
      )
      installation.demo = demo
      await installation.write('demo.json', demo)
    }
    await this.startService('resource', backbone)
    await this.startService('sample-client', backbone)
    if (!installation.temporary)
      await installation.write('../installation.json', describe(installation, backbone))
    if (this.options.dev) {
      this.#rebuilder = rebuildOnChange(line => say(`  ${line}`))
      this.#restartOnChange()
    }
    return { backbone, demo: installation.demo }
  }

  /** The services that issue tokens, and what they stand on. */
  async startPlatform(): Promise<Backbone> {
    const { backbone, broker, stop } = await startBackbone(this.installation, this.options)
    this.#stopBackbone = stop
    this.#broker = broker
    await Promise.all(authorizationServices.map(name => this.startService(name, backbone)))
    return backbone
  }

  /** The processes of a service: to stop them, or to kill one and see what happens. */
  service(name: ServiceName): ServiceGroup {
    const service = this.#services.get(name)
    if (service === undefined) throw new Error(`${name} was not started`)
    return service
  }

  /** The Kafka that was started for this system alone. */
  get broker(): KafkaBroker {
    if (this.#broker === undefined) throw new Error('No Kafka of its own was started')
    return this.#broker
  }

  /** Stops the services first, then what they stand on. Whoever asks again waits for the same end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** One more of the services, once the platform is there. */
  async startService(name: ServiceName, backbone: Backbone): Promise<void> {
    const { [name]: instances = 1 } = this.instances
    const service = await ServiceGroup.open(
      name,
      { port: this.installation.ports[name], instances },
      { ...environmentOf(name, this.installation, backbone), ...this.settings[name] },
      this.installation.folder,
      line => say(`  ${line}`),
    )
    this.#services.set(name, service)
    await step(
      name,
      async () => {
        if (isWithDatabase(name)) await this.#migrate(name, backbone)
        await service.start()
      },
      () => `${this.installation.url(name)}${instances > 1 ? `, ${instances} instances behind it` : ''}`,
    )
  }

  /** Once: whoever needs the tables first. */
  async #migrate(name: DatabaseName, backbone: Backbone): Promise<void> {
    if (this.#migrated.has(name)) return
    await runCommand(name, ['migrate'], migrationEnvironment(name, backbone))
    this.#migrated.add(name)
  }

  async #stop(): Promise<void> {
    for (const watcher of this.#watchers) watcher.close()
    await this.#rebuilder?.stop()
    await Promise.all([...this.#services.values()].map(service => service.close()))
    await this.#stopBackbone?.()
    if (this.installation.temporary) await this.installation.remove()
  }

  #restartOnChange(): void {
    for (const name of serviceNames) {
      let timer: NodeJS.Timeout | undefined
      const changed = () => {
        clearTimeout(timer)
        timer = setTimeout(() => this.#restart(name), 300)
      }
      this.#watchers.push(watch(join(root, 'apps', name, 'dist'), changed))
    }
  }

  #restart(name: ServiceName): void {
    if (this.#stopping) return
    this.#services
      .get(name)
      ?.restart()
      .then(
        () => say(`  ${name} restarted`),
        (error: Error) => say(`  ${error.message}`),
      )
  }
}

const isWithDatabase = (name: ServiceName): name is DatabaseName =>
  (databaseNames as readonly ServiceName[]).includes(name)

/** What `grantlog` (the operator's program) reads to find this installation. */
function describe(installation: Installation, backbone: Backbone): object {
  return {
    transport: backbone.transport,
    databases: Object.fromEntries(databaseNames.map(name => [name, backbone.databaseUrl(name)])),
    urls: Object.fromEntries(serviceNames.map(name => [name, installation.url(name)])),
    ...(backbone.kafka && { kafka: describeKafka(backbone.kafka) }),
  }
}

function describeKafka({ brokers, topicPrefix, passwords }: NonNullable<Backbone['kafka']>): object {
  return { brokers, topicPrefix, ...(passwords && { admin: adminOf(passwords) }) }
}
