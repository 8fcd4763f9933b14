import '@grantlog/platform/heed-signals'
import { serve } from '@grantlog/platform'
import { resource } from './resource.service.js'

await serve(resource)
