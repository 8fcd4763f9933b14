import { Commands } from '@grantlog/eventing'
import { type ServiceDefinition, signingKeysOf } from '@grantlog/platform'
import { bootstrap } from './bootstrap.command.js'
import { clientsConfig } from './clients.config.js'
import { ClientsModule } from './clients.module.js'
import { api } from './domain/api.js'
import { client } from './domain/client.js'
import { Clients1764000000000 } from './migrations/1-clients.js'
import { apis } from './projections/apis.projection.js'
import { clientList } from './projections/clients.projection.js'

export const clients: ServiceDefinition<(typeof clientsConfig)['settings']> = {
  name: 'clients',
  config: clientsConfig,
  module: ClientsModule,
  database: { migrations: [Clients1764000000000] },
  events: {
    service: 'clients',
    projections: [clientList, apis, signingKeysOf('clients')],
    deciders: [client, api],
  },
  commands: {
    bootstrap: ({ app, config, args }) => bootstrap(app.get(Commands), config, args),
  },
}
