import { heedSignals } from '@grantlog/platform/signals'

heedSignals() // and only then load what takes time
const { serve } = await import('@grantlog/platform')
const { resource } = await import('./resource.service.js')
await serve(resource)
