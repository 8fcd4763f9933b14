import { heedSignals } from '@grantlog/platform/signals'

heedSignals() // and only then load what takes time
const { serve } = await import('@grantlog/platform')
const { sampleClient } = await import('./sample-client.service.js')
await serve(sampleClient)
