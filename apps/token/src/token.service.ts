import { Commands } from '@grantlog/eventing'
import { Clock, type ServiceDefinition } from '@grantlog/platform'
import { DataSource } from 'typeorm'
import { accessToken } from './domain/access-token.js'
import { family } from './domain/family.js'
import { signingKeys } from './domain/signing-keys.js'
import { createKeyLife } from './keys/create-key-life.js'
import { keysCommand } from './keys.command.js'
import { Token1764000000000 } from './migrations/1-token.js'
import { apis } from './projections/apis.projection.js'
import { clients } from './projections/clients.projection.js'
import { devices } from './projections/devices.projection.js'
import { revocationBars, revocations } from './projections/revocations.projection.js'
import { tokenConfig } from './token.config.js'
import { TokenModule } from './token.module.js'

export const token: ServiceDefinition<(typeof tokenConfig)['settings']> = {
  name: 'token',
  config: tokenConfig,
  module: TokenModule,
  cors: true,
  errors: 'oauth',
  database: { migrations: [Token1764000000000] },
  events: {
    service: 'token',
    projections: [clients, apis, devices, revocations],
    deciders: [accessToken, family, signingKeys],
    bars: revocationBars,
  },
  bareCommands: {
    keys: ({ app, config, args }) =>
      keysCommand(
        createKeyLife(config, {
          db: app.get(DataSource),
          commands: app.get(Commands),
          clock: app.get(Clock),
        }),
        args,
      ),
  },
}
