import { type ServiceDefinition, signingKeysOf } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { consentConfig } from './consent.config.js'
import { ConsentModule } from './consent.module.js'
import { account } from './domain/account.js'
import { grant } from './domain/grant.js'
import { organization } from './domain/organization.js'
import { Consent1764000000000 } from './migrations/1-consent.js'
import { refusalPage } from './pages/shell.js'
import { apis } from './projections/apis.projection.js'
import { clients } from './projections/clients.projection.js'
import { cutoffs } from './projections/cutoffs.projection.js'
import { grants, lastUses } from './projections/grants.projection.js'
import { memberships } from './projections/memberships.projection.js'

export const consent: ServiceDefinition<(typeof consentConfig)['settings']> = {
  name: 'consent',
  config: consentConfig,
  module: ConsentModule,
  clientEndpoints: ['/par', '/device_authorization'],
  page: refusal => ({ html: refusalPage(refusal), policy: contentSecurityPolicy() }),
  database: { migrations: [Consent1764000000000] },
  events: {
    service: 'consent',
    projections: [clients, apis, memberships, cutoffs, grants, lastUses, signingKeysOf('consent')],
    deciders: [account, grant, organization],
  },
}
