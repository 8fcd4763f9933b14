import '@grantlog/platform/heed-signals'
import { serve } from '@grantlog/platform'
import { token } from './token.service.js'

await serve(token)
