import { parseSealKeys } from '@grantlog/oauth'
import {
  type ConfigOf,
  clientRequestSettings,
  defineConfig,
  platformAudienceSetting,
  resourceServerSettings,
  setting,
} from '@grantlog/platform'

export const consentConfig = defineConfig('consent', {
  ...resourceServerSettings,
  ...clientRequestSettings,
  PLATFORM_AUDIENCE: platformAudienceSetting,
  PUBLIC_URL: setting.origin({
    describe: 'Where people reach this service in their browsers.',
    example: 'https://auth.example.com',
  }),
  CODE_KEYS: setting.parsedSecret(parseSealKeys, {
    describe:
      'The keys that seal authorization and device codes, shared with the token service; the first one seals.',
    example: 'k1:<32 bytes in base64url>,k0:<…>',
  }),
  SESSION_KEY: setting.key({ describe: 'Signs what protects forms from other sites.' }),
  SESSION_SECONDS: setting.integer({
    min: 60,
    max: 2_592_000,
    describe: 'How long a person stays signed in, in seconds.',
    example: '3600',
    default: '43200',
  }),
  CODE_SECONDS: setting.integer({
    min: 5,
    max: 600,
    describe:
      'How long an authorization code may be redeemed, in seconds (RFC 6749 §4.1.2: at most ten minutes).',
    example: '30',
    default: '60',
  }),
  PUSHED_REQUEST_SECONDS: setting.integer({
    min: 5,
    max: 600,
    describe:
      'How long a browser may take to bring a pushed authorization request, in seconds (RFC 9126 §2.2).',
    example: '60',
    default: '90',
  }),
  DEVICE_CODE_SECONDS: setting.integer({
    min: 60,
    max: 1800,
    describe:
      'How long a person may take to answer a device, in seconds (RFC 8628 §3.2): its codes are good for as long.',
    example: '900',
    default: '600',
  }),
  REVOKE_ON_PASSWORD_CHANGE: setting.oneOf(['yes', 'no'], {
    describe:
      'Whether what a person has allowed ends when she changes her password: whoever knew the old one may have allowed it.',
    example: 'no',
    default: 'yes',
  }),
  GRANT_DAYS: setting.integer({
    min: 1,
    max: 3650,
    describe: 'How long a grant lasts unless it is revoked, in days from the last approval.',
    example: '90',
    default: '365',
  }),
})
export type ConsentConfig = ConfigOf<typeof consentConfig>
