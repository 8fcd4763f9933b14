import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Backbone,
  type DatabaseName,
  environmentOf,
  type Premises,
  ServiceProcess,
} from '@grantlog/launcher'
import { freePort } from '@grantlog/servers'
import { eventually } from '@grantlog/testing'

/** Another process of one of a running system's services, on a port of its own. */
export interface Instance {
  readonly port: number
  readonly url: string
  log(): Promise<string>
  stop(): Promise<void>
}

export async function startInstance(
  service: DatabaseName,
  { installation, backbone }: { readonly installation: Premises; readonly backbone: Backbone },
  settings: NodeJS.ProcessEnv,
): Promise<Instance> {
  const port = await freePort()
  const folder = join(installation.folder, `${service}-${port}`)
  await mkdir(folder)
  const env = { ...environmentOf(service, installation, backbone), ...settings, PORT: String(port) }
  const process = new ServiceProcess(service, env, folder, () => undefined)
  await process.start()
  const url = `http://127.0.0.1:${port}`
  await eventually(async () => {
    if (!(await fetch(`${url}/health/ready`)).ok) throw new Error(`The second ${service} does not get ready`)
  })
  return {
    port,
    url,
    log: () => readFile(join(folder, `${service}.log`), 'utf8'),
    stop: () => process.stop(),
  }
}
