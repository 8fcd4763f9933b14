import type { Backbone, DatabaseName, Installation } from '@grantlog/launcher'
import { freePort } from '@grantlog/servers'
import { type Instance, startInstance } from './instance.js'
import { RoundRobin } from './round-robin.js'

/** One of a system's services as two processes, behind a proxy that takes turns. The first one is the system's own. */
export class Double {
  #second: Instance | undefined

  private constructor(
    readonly service: DatabaseName,
    /** Of the first process: the proxy has the one that the service is known by. */
    readonly port: number,
    private readonly proxy: RoundRobin,
  ) {}

  static async open(service: DatabaseName, { ports }: Installation): Promise<Double> {
    const double = new Double(service, await freePort(), await RoundRobin.open(ports[service]))
    double.proxy.add(double.port)
    return double
  }

  /** Where each of the two is reached. */
  get urls(): readonly string[] {
    return [`http://127.0.0.1:${this.port}`, ...(this.#second ? [this.#second.url] : [])]
  }

  async start(
    system: { readonly installation: Installation; readonly backbone: Backbone },
    settings: NodeJS.ProcessEnv = {},
  ): Promise<void> {
    this.#second = await startInstance(this.service, system, settings)
    this.proxy.add(this.#second.port)
  }

  /** What the second process has written into its log. */
  async log(): Promise<string> {
    return (await this.#second?.log()) ?? ''
  }

  async stop(): Promise<void> {
    this.proxy.close()
    await this.#second?.stop()
  }
}
