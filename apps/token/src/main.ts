import { heedSignals } from '@grantlog/platform/signals'

heedSignals() // and only then load what takes time
const { serve } = await import('@grantlog/platform')
const { token } = await import('./token.service.js')
await serve(token)
