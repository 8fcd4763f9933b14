import '@grantlog/platform/heed-signals'
import { serve } from '@grantlog/platform'
import { clients } from './clients.service.js'

await serve(clients)
