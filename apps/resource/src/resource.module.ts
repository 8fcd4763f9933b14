import { wellKnownPath } from '@grantlog/oauth'
import { ResourceServerModule } from '@grantlog/platform'
import { Module } from '@nestjs/common'
import { InvoicesController } from './http/invoices.controller.js'
import { MetadataController } from './http/metadata.controller.js'
import { Invoices } from './invoices/invoices.js'
import { PositionReports } from './revocations/position-reports.js'

@Module({
  imports: [
    ResourceServerModule.forRoot({
      audience: 'AUDIENCE',
      keys: 'metadata',
      everyRoute: true,
      resourceMetadata: config =>
        new URL(wellKnownPath(String(config.AUDIENCE), 'oauth-protected-resource'), String(config.PUBLIC_URL))
          .href,
    }),
  ],
  controllers: [InvoicesController, MetadataController],
  providers: [Invoices, PositionReports],
})
export class ResourceModule {}
