import { parseSealKeys } from '@grantlog/oauth'
import {
  type ConfigOf,
  clientRequestSettings,
  defineConfig,
  platformAudienceSetting,
  setting,
} from '@grantlog/platform'

export const tokenConfig = defineConfig('token', {
  ISSUER: setting.baseUrl({
    describe: 'The issuer identifier (RFC 8414 §2): the URL under which clients reach this service.',
    example: 'https://auth.example.com',
  }),
  AUTHORIZATION_ENDPOINT: setting.url({
    describe: 'Where the consent service’s /authorize is reached; told in the metadata.',
    example: 'https://auth.example.com/authorize',
  }),
  PUSHED_AUTHORIZATION_REQUEST_ENDPOINT: setting.url({
    describe: 'Where the consent service’s /par is reached; told in the metadata.',
    example: 'https://auth.example.com/par',
  }),
  DEVICE_AUTHORIZATION_ENDPOINT: setting.url({
    describe: 'Where the consent service’s /device_authorization is reached; told in the metadata.',
    example: 'https://auth.example.com/device_authorization',
  }),
  CODE_KEYS: setting.parsedSecret(parseSealKeys, {
    describe:
      'The keys that open authorization and device codes, shared with the consent service; the first one seals.',
    example: 'k1:<32 bytes in base64url>,k0:<…>',
  }),
  DPOP_NONCE_SECONDS: setting.integer({
    min: 0,
    max: 3600,
    describe:
      'For how long a nonce for DPoP proofs is given out (RFC 9449 §8), in seconds; the one before it counts too. 0: proofs need none.',
    example: '60',
    default: '300',
  }),
  PLATFORM_AUDIENCE: platformAudienceSetting,
  KEY_ENCRYPTION_KEY: setting.keys({
    describe:
      'Encrypts the private signing keys in the database, and opaque access tokens: one key, or several separated by commas; the first one encrypts, all decrypt.',
  }),
  KEY_ANNOUNCE_DAYS: setting.integer({
    min: 1,
    max: 365,
    describe: 'How long a signing key is published before it signs, in days.',
    example: '7',
    default: '14',
  }),
  KEY_ACTIVE_DAYS: setting.integer({
    min: 1,
    max: 3650,
    describe: 'How long a signing key signs, in days: then its successor does.',
    example: '30',
    default: '90',
  }),
  ...clientRequestSettings,
  REFRESH_TOKEN_SECONDS: setting.integer({
    min: 60,
    max: 31_536_000,
    describe: 'How long a refresh token lives unused, in seconds.',
    example: '604800',
    default: '2592000',
  }),
  REFRESH_FAMILY_SECONDS: setting.integer({
    min: 60,
    max: 315_360_000,
    describe:
      'How long after an authorization code was redeemed its refresh tokens end, however often they are used, in seconds.',
    example: '2592000',
    default: '7776000',
  }),
  REFRESH_RETRY_SECONDS: setting.integer({
    min: 0,
    max: 600,
    describe:
      'How long whoever used a refresh token may present it again and get the same successor, in seconds; 0: never.',
    example: '30',
    default: '60',
  }),
})
export type TokenConfig = ConfigOf<typeof tokenConfig>
