import {
  ClientRequests,
  Clock,
  CONFIG,
  Limits,
  LOGGER,
  limitReport,
  Metrics,
  ResourceServerModule,
  UsedOnce,
} from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { DataSource } from 'typeorm'
import { ApprovedDetails } from './authorization/approved-details.js'
import { AuthorizationRequests } from './authorization/authorization-requests.js'
import { Decisions } from './authorization/decisions.js'
import { DeviceRequests } from './authorization/device-requests.js'
import { PushedRequests } from './authorization/pushed-requests.js'
import type { ConsentConfig } from './consent.config.js'
import { AccountsController } from './http/accounts.controller.js'
import { AuthorizeController } from './http/authorize.controller.js'
import { Browser } from './http/browser.js'
import { DeviceController } from './http/device.controller.js'
import { DeviceAuthorizationController } from './http/device-authorization.controller.js'
import { GrantsController } from './http/grants.controller.js'
import { OrganizationsController } from './http/organizations.controller.js'
import { OwnerChoice } from './http/owner-choice.js'
import { ParController } from './http/par.controller.js'
import { PasswordController } from './http/password.controller.js'
import { PositionsController } from './http/positions.controller.js'
import { RevocationsController } from './http/revocations.controller.js'
import { SignInController } from './http/sign-in.controller.js'
import { Accounts } from './people/accounts.js'
import { Attempts } from './people/attempts.js'
import { Organizations } from './people/organizations.js'
import { Sessions } from './people/sessions.js'
import { SignInLimits } from './people/sign-in-limits.js'
import { UserCodeLimits } from './people/user-code-limits.js'
import { findClient } from './projections/clients.projection.js'
import { Positions } from './revocations/positions.js'
import { Revocations } from './revocations/revocations.js'

@Module({
  imports: [
    ResourceServerModule.forRoot({ audience: 'PLATFORM_AUDIENCE', keys: 'events', everyRoute: false }),
  ],
  controllers: [
    AuthorizeController,
    ParController,
    DeviceAuthorizationController,
    DeviceController,
    SignInController,
    PasswordController,
    GrantsController,
    RevocationsController,
    PositionsController,
    AccountsController,
    OrganizationsController,
  ],
  providers: [
    Browser,
    AuthorizationRequests,
    PushedRequests,
    DeviceRequests,
    ApprovedDetails,
    Decisions,
    Accounts,
    Organizations,
    Revocations,
    Positions,
    OwnerChoice,
    Sessions,
    Attempts,
    SignInLimits,
    UserCodeLimits,
    {
      provide: UsedOnce,
      inject: [DataSource, Clock],
      useFactory: (db: DataSource, clock: Clock) => new UsedOnce(db, () => clock.seconds()),
    },
    {
      provide: ClientRequests,
      inject: [CONFIG, DataSource, Clock, UsedOnce, Metrics, LOGGER],
      useFactory: (
        config: ConsentConfig,
        db: DataSource,
        clock: Clock,
        usedOnce: UsedOnce,
        metrics: Metrics,
        logger: Parameters<typeof limitReport>[1],
      ) =>
        new ClientRequests({
          config,
          limits: new Limits(config, limitReport(metrics, logger)),
          url: config.PUBLIC_URL,
          clock,
          usedOnce,
          find: clientId => findClient(db, clientId),
        }),
    },
  ],
})
export class ConsentModule {}
