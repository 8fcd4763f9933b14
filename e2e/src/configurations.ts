import { settingsOf } from '@grantlog/platform'
import { clients } from '../../apps/clients/src/clients.service.js'
import { consent } from '../../apps/consent/src/consent.service.js'
import { resource } from '../../apps/resource/src/resource.service.js'
import { sampleClient } from '../../apps/sample-client/src/sample-client.service.js'
import { token } from '../../apps/token/src/token.service.js'

/** The settings that each service knows, as it reads them itself. */
export const configurations = [clients, consent, token, resource, sampleClient].map(each =>
  settingsOf(each as typeof token),
)
