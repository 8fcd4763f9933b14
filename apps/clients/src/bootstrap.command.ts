import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Commands } from '@grantlog/eventing'
import { createClientSecret, hashSecret, parseSecretKeys } from '@grantlog/oauth'
import type { ClientsConfig } from './clients.config.js'
import { api } from './domain/api.js'
import { client } from './domain/client.js'

const scopes = [
  { name: 'clients:read', text: 'See the registered applications and APIs', access: 'read' },
  {
    name: 'clients:write',
    text: 'Register, change and suspend applications and APIs, delete applications',
    access: 'write',
  },
  { name: 'accounts:write', text: 'Create accounts and organizations', access: 'write' },
  { name: 'tokens:introspect', text: 'See the state of every token', access: 'read' },
  { name: 'revocations:read', text: 'Follow what is revoked', access: 'read' },
  { name: 'revocations:write', text: 'Revoke whatever was granted or issued', access: 'write' },
] as const

/**
 * `bootstrap [--json] [--secret-file FILE]`: registers the platform's own API, and the operator's client with all of its scopes.
 * A secret that is made here is returned, and is stored nowhere. With one from a file it can be run again and again.
 * @throws Error when there is an operator already, or was one, for a secret that is weak, or a file that can not be read
 */
export async function bootstrap(
  commands: Commands,
  config: Pick<ClientsConfig, 'PLATFORM_AUDIENCE' | 'CLIENT_SECRET_KEYS'>,
  args: readonly string[],
): Promise<string> {
  const { json, 'secret-file': file } = readOptions(args)
  const secret = file === undefined ? createClientSecret() : readSecret(file)
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

  const { events, state } = await commands.run(
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
  const isNew = events.length > 0
  const deleted = 'The operator’s client was deleted, for good: whoever deleted it can register another one.'
  if (file !== undefined) {
    if (isNew) return 'The operator’s client is registered, with the secret of that file.'
    return state.deleted ? deleted : 'There is an operator already: its secret stays as it is.'
  }
  if (state.deleted) throw new Error(deleted)
  if (!isNew) throw new Error('There is an operator already. Its secret was shown once, when it was made.')
  if (json) return JSON.stringify({ client_id: 'operator', client_secret: secret })
  return `The operator’s client, shown this once:

  client_id      operator
  client_secret  ${secret}

It gets tokens for ${config.PLATFORM_AUDIENCE} by client_credentials at the token endpoint.`
}

function readOptions(args: readonly string[]) {
  const options = { json: { type: 'boolean' }, 'secret-file': { type: 'string' } } as const
  return parseArgs({ args: [...args], options }).values
}

function readSecret(file: string): string {
  const secret = readFileSync(file, 'utf8').trim()
  if (!/^[\x21-\x7e]{32,128}$/.test(secret))
    throw new Error(
      `${file} must hold 32 to 128 characters of ASCII without a space: openssl rand -base64 32`,
    )
  return secret
}
