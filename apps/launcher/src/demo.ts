import { makeDemonstration, type Operator } from '@grantlog/demonstration'
import { type Backbone, environmentOf, siteOf } from './environment.js'
import type { Demo, Installation } from './installation.js'
import { runCommand } from './service-process.js'

/** Makes the demonstration, and by the services' own commands what is not made over HTTP: the operator, and the invoices. */
export async function createDemo(installation: Installation, backbone: Backbone): Promise<Demo> {
  const operator = await bootstrap(installation, backbone)
  const made = await makeDemonstration(siteOf(installation), operator)
  await runCommand('resource', ['seed', ...made.owners], environmentOf('resource', installation, backbone))
  return { ...made, operator }
}

async function bootstrap(installation: Installation, backbone: Backbone): Promise<Operator> {
  const environment = environmentOf('clients', installation, backbone)
  const out = await runCommand('clients', ['bootstrap', '--json'], environment)
  const printed = JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as Record<string, string>
  return { id: printed.client_id ?? '', secret: printed.client_secret ?? '' }
}
