import { randomUUID } from 'node:crypto'
import type { Commands } from '@grantlog/eventing'
import { createClientSecret, hashSecret, parseSecretKeys } from '@grantlog/oauth'
import type { ClientsConfig } from './clients.config.js'
import { api } from './domain/api.js'
import { client } from './domain/client.js'

const scopes = [
  { name: 'clients:read', text: 'See the registered applications and APIs', access: 'read' },
  { name: 'clients:write', text: 'Register, change and suspend applications and APIs', access: 'write' },
  { name: 'accounts:write', text: 'Create accounts and organizations', access: 'write' },
  { name: 'tokens:introspect', text: 'See the state of every token', access: 'read' },
] as const

/**
 * Registers the platform's own API, and the operator's client with all of its scopes. The secret is returned, and is stored
 * nowhere.
 * @throws Error when there is an operator already
 */
export async function bootstrap(
  commands: Commands,
  config: Pick<ClientsConfig, 'PLATFORM_AUDIENCE' | 'CLIENT_SECRET_KEYS'>,
  args: readonly string[],
): Promise<string> {
  const [unknown] = args.filter(arg => arg !== '--json')
  if (unknown !== undefined) throw new Error(`“${unknown}” is no option of bootstrap; there is --json`)
  const context = { actor: { type: 'system', id: 'bootstrap' } } as const
  const registration = {
    apiId: 'platform',
    audience: config.PLATFORM_AUDIENCE,
    name: 'Grantlog',
    scopes: [...scopes],
    accessTokenSeconds: 600,
    accessTokenAlgorithm: 'ES256' as const,
    accessTokenFormat: 'jwt' as const,
  }
  await commands.run(api, registration.apiId, { type: 'register', registration }, context)

  const secret = createClientSecret()
  const { events } = await commands.run(
    client,
    'operator',
    {
      type: 'register',
      registration: {
        clientId: 'operator',
        name: 'Operator',
        homepage: null,
        redirectUris: [],
        grantTypes: ['client_credentials'],
        tokenEndpointAuthMethod: 'client_secret_basic',
        keys: [],
        certificates: [],
        senderConstraint: null,
        requirePushedRequests: false,
        requireSignedRequests: false,
        scopes: scopes.map(scope => scope.name),
      },
      credentials: [
        {
          credentialId: randomUUID(),
          verifier: hashSecret(secret, parseSecretKeys(config.CLIENT_SECRET_KEYS)),
        },
      ],
    },
    context,
  )
  if (events.length === 0)
    throw new Error('There is an operator already. Its secret was shown once, when it was made.')
  if (args.includes('--json')) return JSON.stringify({ client_id: 'operator', client_secret: secret })
  return `The operator’s client, shown this once:

  client_id      operator
  client_secret  ${secret}

It gets tokens for ${config.PLATFORM_AUDIENCE} by client_credentials at the token endpoint.`
}
