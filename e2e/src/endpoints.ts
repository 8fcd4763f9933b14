import { type Instance, startInstance } from './instance.js'
import type { RunningSystem } from './running-system.js'

/** Another instance of a service at which clients authenticate, with settings of its own. */
export interface Endpoints extends Instance {
  /** Sends a form, from the address that a proxy tells when there is one. */
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** What `/metrics` tells of a name: the value by the line's labels. */
  measured(name: string): Promise<Record<string, number>>
}

export async function startEndpoints(
  service: 'token' | 'consent',
  running: RunningSystem,
  settings: Record<string, string>,
): Promise<Endpoints> {
  const instance = await startInstance(service, running, settings)
  const { url } = instance
  return {
    ...instance,
    post: (path, form, headers = {}) =>
      fetch(`${url}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) }),
    async measured(name) {
      const text = await (await fetch(`${url}/metrics`)).text()
      const lines = text.split('\n').filter(line => line.startsWith(`${name}{`))
      return Object.fromEntries(
        lines.map(line => [/="([^"]*)"/.exec(line)?.[1] ?? '', Number(line.slice(line.lastIndexOf(' ')))]),
      )
    },
  }
}
