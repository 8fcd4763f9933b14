import { heedSignals } from '@grantlog/platform/signals'

heedSignals() // and only then load what takes time
const { serve } = await import('@grantlog/platform')
const { consent } = await import('./consent.service.js')
await serve(consent)
