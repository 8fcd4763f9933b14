import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { environmentOf, ServiceProcess } from '@grantlog/launcher'
import { freePort } from '@grantlog/servers'
import { type RunningSystem, untilStatus } from './running-system.js'

/** Another instance of a running system's token service, with settings of its own. */
export interface TokenInstance {
  readonly url: string
  /** Sends a form, from the address that a proxy tells when there is one. */
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** What `/metrics` tells of a name: the value by the line's labels. */
  measured(name: string): Promise<Record<string, number>>
  log(): Promise<string>
  stop(): Promise<void>
}

export async function startTokenInstance(
  { installation, backbone }: RunningSystem,
  settings: Record<string, string>,
): Promise<TokenInstance> {
  const port = await freePort()
  const folder = join(installation.folder, `token-${port}`)
  await mkdir(folder)
  const env = { ...environmentOf('token', installation, backbone), ...settings, PORT: String(port) }
  const service = new ServiceProcess('token', env, folder, () => undefined)
  await service.start()
  const url = `http://127.0.0.1:${port}`
  await untilStatus(200, () => fetch(`${url}/health/ready`))
  return {
    url,
    post: (path, form, headers = {}) =>
      fetch(`${url}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) }),
    async measured(name) {
      const text = await (await fetch(`${url}/metrics`)).text()
      const lines = text.split('\n').filter(line => line.startsWith(`${name}{`))
      return Object.fromEntries(
        lines.map(line => [/="([^"]*)"/.exec(line)?.[1] ?? '', Number(line.slice(line.lastIndexOf(' ')))]),
      )
    },
    log: () => readFile(join(folder, 'token.log'), 'utf8'),
    stop: () => service.stop(),
  }
}
