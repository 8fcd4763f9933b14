import type { ServiceDefinition } from '@grantlog/platform'
import { sampleClientConfig } from './sample-client.config.js'
import { SampleClientModule } from './sample-client.module.js'

export const sampleClient: ServiceDefinition<(typeof sampleClientConfig)['settings']> = {
  name: 'sample-client',
  config: sampleClientConfig,
  module: SampleClientModule,
}
