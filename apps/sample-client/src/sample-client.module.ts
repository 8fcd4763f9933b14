import { Clock, CONFIG, LOGGER } from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { ConfidentialClient } from './confidential/confidential-client.js'
import { Sessions } from './confidential/sessions.js'
import { Visits } from './confidential/visits.js'
import { AssetsController } from './http/assets.controller.js'
import { ConfidentialController } from './http/confidential.controller.js'
import { PagesController } from './http/pages.controller.js'
import type { SampleClientConfig } from './sample-client.config.js'

@Module({
  controllers: [PagesController, ConfidentialController, AssetsController],
  providers: [
    {
      provide: ConfidentialClient,
      inject: [CONFIG, LOGGER],
      useFactory: (...needs: ConstructorParameters<typeof ConfidentialClient>) =>
        new ConfidentialClient(...needs),
    },
    { provide: Visits, inject: [CONFIG], useFactory: (config: SampleClientConfig) => new Visits(config) },
    { provide: Sessions, inject: [Clock], useFactory: (clock: Clock) => new Sessions(clock) },
  ],
})
export class SampleClientModule {}
