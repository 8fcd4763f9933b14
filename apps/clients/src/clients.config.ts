import {
  type ConfigOf,
  defineConfig,
  platformAudienceSetting,
  resourceServerSettings,
} from '@grantlog/platform'

export const clientsConfig = defineConfig('clients', {
  ...resourceServerSettings,
  PLATFORM_AUDIENCE: platformAudienceSetting,
})
export type ClientsConfig = ConfigOf<typeof clientsConfig>
