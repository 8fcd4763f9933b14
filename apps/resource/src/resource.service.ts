import type { ServiceDefinition } from '@grantlog/platform'
import { invoiceEntity } from './invoices/invoice.js'
import { Invoices } from './invoices/invoices.js'
import { Invoices1764000000000 } from './migrations/1-invoices.js'
import { resourceConfig } from './resource.config.js'
import { ResourceModule } from './resource.module.js'
import { seed } from './seed.command.js'

export const resource: ServiceDefinition<(typeof resourceConfig)['settings']> = {
  name: 'resource',
  config: resourceConfig,
  module: ResourceModule,
  cors: true,
  database: { entities: [invoiceEntity], migrations: [Invoices1764000000000] },
  events: { service: undefined, projections: [] },
  commands: { seed: ({ app, args }) => seed(app.get(Invoices, { strict: false }), args) },
}
