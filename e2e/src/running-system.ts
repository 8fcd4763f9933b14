import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { formOf, type Page, Visitor } from '@grantlog/demonstration'
import {
  audienceOf,
  type Backbone,
  type DatabaseName,
  type Demo,
  eventsSince,
  grantsUrlOf,
  Installation,
  type LogLine,
  lastEvents,
  type Premises,
  type ServiceName,
  System,
  serviceNames,
  silence,
  temporary,
} from '@grantlog/launcher'
import { ask, eventually } from '@grantlog/testing'

/** A whole system: temporary data, free ports, real processes. */
export interface RunningSystem {
  readonly installation: Premises
  readonly backbone: Backbone
  readonly demo: Demo
  readonly audience: string
  /** Runs work and returns what was logged meanwhile by all services, in order. */
  logged<T>(work: () => Promise<T>): Promise<{ result: T; log: LogLine[] }>
  /** What every process has written into its log. */
  written(): Promise<Record<string, string>>
}

/** One that nobody else uses: it may be broken. */
export interface OwnSystem extends RunningSystem {
  readonly system: System
  stop(): Promise<void>
}

type Settings = NonNullable<ConstructorParameters<typeof System>[2]>
type Instances = ConstructorParameters<typeof System>[3]

export const twoOfEach: Instances = { clients: 2, consent: 2, token: 2, resource: 2 }

/** The same where these services have two instances: every request meets the other one than the request before. */
export function startTwice(
  settings?: Settings,
  transport: 'embedded' | 'kafka' = 'embedded',
  instances: Instances = { token: 2, consent: 2 },
): Promise<OwnSystem> {
  return startSystem(transport, settings, instances)
}

/**
 * The system of this worker, with default settings and two instances of what issues tokens: its specs use it one after the other,
 * each with clients of its own. Whoever stops a service, or changes what others rely on (keys, the person’s password, limits), starts
 * a system.
 */
export async function sharedSystem(): Promise<RunningSystem> {
  const { installation, databases, logs } = (await ask(`/system/${process.env.JEST_WORKER_ID}`)) as {
    readonly installation: Omit<Premises, 'url'>
    readonly databases: Readonly<Record<DatabaseName, { readonly owner: string; readonly service: string }>>
    readonly logs: readonly string[]
  }
  const premises = {
    ...installation,
    url: (service: ServiceName) => `http://localhost:${installation.ports[service]}`,
  }
  const backbone: Backbone = {
    transport: 'embedded',
    databaseUrl: name => databases[name].owner,
    serviceUrl: name => databases[name].service,
  }
  const { demo } = installation
  if (demo === undefined) throw new Error('The shared system has no demonstration')
  return runningSystem(premises, backbone, demo, () => logs)
}

export async function startSystem(
  transport: 'embedded' | 'kafka',
  settings: Settings = {},
  instances?: Instances,
): Promise<OwnSystem> {
  silence()
  const options = temporary(transport)
  const installation = await Installation.open(options)
  const system = new System(installation, options, settings, instances)
  try {
    const { backbone, demo } = await system.start()
    const logs = () => serviceNames.flatMap(name => system.service(name).logs)
    return { ...runningSystem(installation, backbone, demo, logs), system, stop: () => system.stop() }
  } catch (error) {
    await system.stop()
    throw error
  }
}

function runningSystem(
  installation: Premises,
  backbone: Backbone,
  demo: Demo,
  logs: () => readonly string[],
): RunningSystem {
  return {
    installation,
    backbone,
    demo,
    audience: audienceOf(installation),
    async logged(work) {
      const before = await settled(() => lastEvents(backbone), sameJson)
      const result = await work()
      // the sample API has a client too, and asks for its token in its own time
      const since = () => eventsSince(backbone, before, ({ data }) => data.clientId !== demo.apiClient.id)
      return { result, log: await settled(since, sameJson) }
    },
    async written() {
      const files = logs().map(async file => [basename(file, '.log'), await readFile(file, 'utf8')] as const)
      return Object.fromEntries(await Promise.all(files))
    },
  }
}

/** Events get their numbers a moment after they were stored: reads until nothing more arrives. */
async function settled<T>(read: () => Promise<T>, same: (a: T, b: T) => boolean): Promise<T> {
  for (let before = await read(); ; ) {
    await new Promise(resolve => setTimeout(resolve, 300))
    const now = await read()
    if (same(now, before)) return now
    before = now
  }
}

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** The demonstration's person with a browser that knows no JavaScript. */
export class Ada {
  readonly visitor = new Visitor()

  constructor(private readonly running: RunningSystem) {}

  /** Goes through sign-in, where it is asked, and consent; returns the URL that the browser is sent to. */
  async answer(
    authorizationUrl: string,
    redirectUri: string,
    choice: { decision?: 'approve' | 'deny'; owner?: string } = {},
  ): Promise<URL> {
    const { person } = this.running.demo
    let page = await this.visitor.open(authorizationUrl, redirectUri)
    if (/name="password"/.test(page.html)) {
      const entries = { email: person.email, password: person.password }
      page = await this.visitor.submit(page, formOf(page, /sign-in/), entries, redirectUri)
    }
    if (page.html === '') return new URL(page.url)
    const entries = {
      decision: choice.decision ?? 'approve',
      ...(choice.owner !== undefined && { owner: choice.owner }),
    }
    const answered = await this.visitor.submit(page, formOf(page, /authorize/), entries, redirectUri)
    return new URL(answered.url)
  }

  async revokeOnGrantsPage(grantId: string): Promise<Page> {
    // what was approved a moment ago is on the page when its read model has it
    const { page, form } = await eventually(async () => {
      const page = await this.visitor.open(grantsUrlOf(this.running.installation))
      return { page, form: formOf(page, new RegExp(`${grantId}/revoke`)) }
    })
    return this.visitor.submit(page, form, {})
  }
}

/** Repeats a request until it answers with the status. @throws Error with the last answer */
export async function untilStatus(
  status: number,
  request: () => Promise<Response>,
  milliseconds = 15_000,
): Promise<Response> {
  for (const until = Date.now() + milliseconds; ; ) {
    const response = await request()
    if (response.status === status) return response
    const body = await response.text()
    if (Date.now() > until) throw new Error(`${response.status} instead of ${status}: ${body}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
