import { type ConfigOf, defineConfig, resourceServerSettings, setting } from '@grantlog/platform'

export const resourceConfig = defineConfig('resource', {
  ...resourceServerSettings,
  AUDIENCE: setting.url({
    describe:
      'This API’s name: its resource indicator (RFC 8707), and the `aud` of the tokens that it accepts.',
    example: 'https://api.example.com/invoices',
  }),
  PUBLIC_URL: setting.url({ describe: 'Where this API is reached.', example: 'https://api.example.com' }),
  ALLOWED_ORIGINS: setting.list({
    describe: 'Origins of browser applications that may read answers (CORS); * for all.',
    example: 'https://app.example.com',
    default: '*',
  }),
})
export type ResourceConfig = ConfigOf<typeof resourceConfig>
