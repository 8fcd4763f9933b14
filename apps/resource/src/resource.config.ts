import { type ConfigOf, defineConfig, resourceServerSettings, setting } from '@grantlog/platform'

export const resourceConfig = defineConfig('resource', {
  ...resourceServerSettings,
  AUDIENCE: setting.url({
    describe:
      'This API’s name: its resource indicator (RFC 8707), and the `aud` of the tokens that it accepts.',
    example: 'https://api.example.com/invoices',
  }),
  PUBLIC_URL: setting.origin({ describe: 'Where this API is reached.', example: 'https://api.example.com' }),
})
export type ResourceConfig = ConfigOf<typeof resourceConfig>
