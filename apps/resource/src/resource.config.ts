import {
  type ConfigOf,
  type Contradiction,
  defineConfig,
  platformAudienceSetting,
  resourceServerSettings,
  setting,
} from '@grantlog/platform'

/** All three or none. */
const positionsSettings = {
  POSITIONS_ENDPOINT: setting.optional(
    setting.url({
      describe:
        'Where this API reports how far it has applied the revocations: `/positions` of the consent service. Without it, it does not.',
      example: 'https://auth.example.com/positions',
    }),
  ),
  POSITIONS_CLIENT_ID: setting.optional(
    setting.fromFile(
      setting.text({
        describe: 'The client as which it reports; it may ask for `revocations:read`.',
        example: 'invoices-api',
      }),
    ),
  ),
  POSITIONS_CLIENT_SECRET: setting.optional(
    setting.secret({
      describe: 'The secret of that client.',
      example: 'what the registration answered',
    }),
  ),
} as const

export const resourceConfig = defineConfig(
  'resource',
  {
    ...resourceServerSettings,
    AUDIENCE: setting.url({
      describe:
        'This API’s name: its resource indicator (RFC 8707), and the `aud` of the tokens that it accepts.',
      example: 'https://api.example.com/invoices',
    }),
    PUBLIC_URL: setting.origin({
      describe: 'Where this API is reached.',
      example: 'https://api.example.com',
    }),
    PLATFORM_AUDIENCE: platformAudienceSetting,
    ...positionsSettings,
  },
  Object.entries(positionsSettings).map(([name, { example }]) => missingAmong(name, example)),
)
export type ResourceConfig = ConfigOf<typeof resourceConfig>

function missingAmong(name: string, example: string): Contradiction {
  return values => {
    const given = Object.keys(positionsSettings).find(other => values[other] !== undefined)
    return given !== undefined && values[name] === undefined
      ? `${name} is missing: ${given} is of no use without it, for example ${name}=${example}`
      : undefined
  }
}
