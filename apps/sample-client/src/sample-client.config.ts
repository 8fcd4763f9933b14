import { type ConfigOf, defineConfig, setting } from '@grantlog/platform'

export const sampleClientConfig = defineConfig('sample-client', {
  ISSUER: setting.baseUrl({
    describe: 'The authorization server; its endpoints are read from its metadata (RFC 8414).',
    example: 'https://auth.example.com',
  }),
  RESOURCE: setting.url({
    describe: 'The invoices API: its address, and the resource (RFC 8707) that tokens are asked for.',
    example: 'https://api.example.com/invoices',
  }),
  PUBLIC_URL: setting.origin({
    describe: 'Where people reach this application; its redirect URIs begin with it.',
    example: 'https://ledgerly.example.com',
  }),
  GRANTS_URL: setting.url({
    describe: 'Where people see and revoke what they have allowed.',
    example: 'https://auth.example.com/grants',
  }),
  CONFIDENTIAL_CLIENT_ID: setting.fromFile(
    setting.text({
      describe: 'The client that the server side is registered as.',
      example: 'ledgerly',
    }),
  ),
  CONFIDENTIAL_CLIENT_SECRET: setting.secret({
    describe: 'The secret of that client.',
    example: 'what the registration answered',
  }),
  PUBLIC_CLIENT_ID: setting.fromFile(
    setting.text({
      describe: 'The client that the browser side is registered as; it has no secret.',
      example: 'pocket-ledger',
    }),
  ),
  SESSION_KEY: setting.key({ describe: 'Signs the tokens that protect forms from other sites.' }),
})
export type SampleClientConfig = ConfigOf<typeof sampleClientConfig>
