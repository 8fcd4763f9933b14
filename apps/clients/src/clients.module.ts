import { ResourceServerModule } from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { Audiences } from './audiences.js'
import { ApisController } from './http/apis.controller.js'
import { ClientsController } from './http/clients.controller.js'

@Module({
  imports: [
    ResourceServerModule.forRoot({ audience: 'PLATFORM_AUDIENCE', keys: 'events', everyRoute: true }),
  ],
  controllers: [ClientsController, ApisController],
  providers: [Audiences],
})
export class ClientsModule {}
