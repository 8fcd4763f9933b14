import { freePorts } from '@grantlog/servers'
import { Balancer } from './balancer.js'
import type { ServiceName } from './installation.js'
import { ServiceProcess } from './service-process.js'

/** How long an instance goes on serving once it is asked to stop: the balancer asks ten times a second, or as soon as it can. */
const shutdownDelaySeconds = 2

/** One service: a process at its port, or several behind a balancer that has the port. */
export class ServiceGroup {
  private constructor(
    /** Where each process is reached, past the balancer. */
    readonly urls: readonly string[],
    private readonly processes: readonly ServiceProcess[],
    private readonly balancer: Balancer | undefined,
  ) {}

  /**
   * Makes it ready to be started.
   * @param env of each process, but for its port
   * @param told hears of processes that end by themselves, and come back
   */
  static async open(
    name: ServiceName,
    { port, instances }: { readonly port: number; readonly instances: number },
    env: NodeJS.ProcessEnv,
    logFolder: string,
    told: (line: string) => void,
  ): Promise<ServiceGroup> {
    const open = (label: string, own: NodeJS.ProcessEnv) =>
      new ServiceProcess(name, { ...env, ...own }, logFolder, told, label)
    const urlOf = (at: number) => `http://127.0.0.1:${at}`
    if (instances === 1)
      return new ServiceGroup([urlOf(port)], [open(name, { PORT: String(port) })], undefined)
    const ports = await freePorts(instances)
    const processes = ports.map((own, index) =>
      open(`${name}-${index + 1}`, {
        PORT: String(own),
        SHUTDOWN_DELAY_SECONDS: String(shutdownDelaySeconds),
      }),
    )
    const balancer = await Balancer.open(port)
    for (const own of ports) balancer.add(own)
    return new ServiceGroup(ports.map(urlOf), processes, balancer)
  }

  /** The file that each process writes its log into. */
  get logs(): readonly string[] {
    return this.processes.map(process => process.log)
  }

  get pids(): readonly number[] {
    return this.processes.flatMap(({ pid }) => pid ?? [])
  }

  async start(): Promise<void> {
    await Promise.all(this.processes.map(process => process.start()))
  }

  /** Stops all processes; it can be started again. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.map(process => process.stop()))
  }

  /** One after the other, each once the one before is ready: where there are several, somebody always answers. */
  async restart(): Promise<void> {
    for (const [index, process] of this.processes.entries()) {
      await process.restart()
      await untilReady(this.urls[index] ?? '')
    }
  }

  /** For good. */
  async close(): Promise<void> {
    await this.stop()
    this.balancer?.close()
  }
}

/** @throws Error with the last answer, after a minute */
async function untilReady(url: string): Promise<void> {
  for (const until = Date.now() + 60_000; ; ) {
    const response = await fetch(`${url}/health/ready`)
    const body = await response.text()
    if (response.ok) return
    if (Date.now() > until) throw new Error(`${url} does not get ready: ${body}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
