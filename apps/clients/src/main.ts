import { heedSignals } from '@grantlog/platform/signals'

heedSignals() // and only then load what takes time
const { serve } = await import('@grantlog/platform')
const { clients } = await import('./clients.service.js')
await serve(clients)
