import '@grantlog/platform/heed-signals'
import { serve } from '@grantlog/platform'
import { sampleClient } from './sample-client.service.js'

await serve(sampleClient)
