import { ResourceServerModule } from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { Decisions } from './authorization/decisions.js'
import { AccountsController } from './http/accounts.controller.js'
import { AuthorizeController } from './http/authorize.controller.js'
import { Browser } from './http/browser.js'
import { GrantsController } from './http/grants.controller.js'
import { OrganizationsController } from './http/organizations.controller.js'
import { SignInController } from './http/sign-in.controller.js'
import { Accounts } from './people/accounts.js'
import { Organizations } from './people/organizations.js'
import { Sessions } from './people/sessions.js'
import { SignInLimits } from './people/sign-in-limits.js'

@Module({
  imports: [
    ResourceServerModule.forRoot({ audience: 'PLATFORM_AUDIENCE', keys: 'events', everyRoute: false }),
  ],
  controllers: [
    AuthorizeController,
    SignInController,
    GrantsController,
    AccountsController,
    OrganizationsController,
  ],
  providers: [Browser, Decisions, Accounts, Organizations, Sessions, SignInLimits],
})
export class ConsentModule {}
