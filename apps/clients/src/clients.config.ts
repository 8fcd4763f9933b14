import {
  type ConfigOf,
  defineConfig,
  platformAudienceSetting,
  resourceServerSettings,
  secretKeysSetting,
} from '@grantlog/platform'

export const clientsConfig = defineConfig('clients', {
  ...resourceServerSettings,
  PLATFORM_AUDIENCE: platformAudienceSetting,
  CLIENT_SECRET_KEYS: secretKeysSetting,
})
export type ClientsConfig = ConfigOf<typeof clientsConfig>
