import { type Instance, startInstance } from './instance.js'
import type { RunningSystem } from './running-system.js'

/** Another instance of a running system's token service, with settings of its own. */
export interface TokenInstance extends Instance {
  /** Sends a form, from the address that a proxy tells when there is one. */
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** What `/metrics` tells of a name: the value by the line's labels. */
  measured(name: string): Promise<Record<string, number>>
}

export async function startTokenInstance(
  running: RunningSystem,
  settings: Record<string, string>,
): Promise<TokenInstance> {
  const instance = await startInstance('token', running, settings)
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
