import '@grantlog/platform/heed-signals'
import { serve } from '@grantlog/platform'
import { consent } from './consent.service.js'

await serve(consent)
