import { generateKeyPairSync } from 'node:crypto'
import Provider, { type ClientMetadata, type Configuration, type ResourceServer } from 'oidc-provider'
import { redirectUri, scope } from '../target.js'
import { postgresAdapter } from './adapter.js'

/** Asks for an authorization code as a person’s approval would have made it. */
export interface PeerQuestion {
  readonly codeChallenge: string
}

const { PORT, DATABASE_URL, JWT_SECRET, OPAQUE_SECRET } = process.env
const hour = 3600
const month = 30 * 24 * hour

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  ...(DATABASE_URL !== undefined && { adapter: await postgresAdapter(DATABASE_URL) }),
  jwks: { keys: [signingKey('ES256'), signingKey('RS256')] }, // it wants an RS256 key, for ID tokens that nobody asks for
  cookies: { keys: ['bench'] },
  clients: [client('jwt', JWT_SECRET), client('opaque', OPAQUE_SECRET)],
  scopes: [scope],
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  expiresWithSession: async () => false,
  ttl: {
    AccessToken: hour,
    ClientCredentials: hour,
    RefreshToken: month,
    Grant: month,
    AuthorizationCode: 60,
  },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: ({ oidc }) => resourceOf(oidc.client?.clientId),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => resourceServer(resource),
    },
  },
} satisfies Configuration)

provider.listen(Number(PORT), '127.0.0.1', () => process.send?.({ ready: true }))
process.on('message', ({ codeChallenge }: PeerQuestion) => {
  void makeCode(codeChallenge).then(code => process.send?.(code))
})
process.on('disconnect', () => process.exit())

async function makeCode(codeChallenge: string): Promise<string> {
  const accountId = 'ada'
  const jwtClient = await provider.Client.find('jwt')
  if (jwtClient === undefined) throw new Error('There is no client')
  const resource = resourceOf('jwt')
  const grant = new provider.Grant({ accountId, clientId: 'jwt' })
  grant.addResourceScope(resource, scope)
  return new provider.AuthorizationCode({
    accountId,
    client: jwtClient,
    grantId: await grant.save(),
    gty: 'authorization_code',
    redirectUri,
    resource,
    scope,
    codeChallenge,
    codeChallengeMethod: 'S256',
    authTime: Math.floor(Date.now() / 1000),
  }).save()
}

function client(client_id: string, client_secret = ''): ClientMetadata {
  return {
    client_id,
    client_secret,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_basic',
  }
}

function resourceOf(clientId = ''): string {
  return `urn:${clientId}`
}

function resourceServer(audience: string): ResourceServer {
  const opaque = audience === resourceOf('opaque')
  return {
    scope,
    audience,
    accessTokenTTL: hour,
    ...(opaque
      ? { accessTokenFormat: 'opaque' }
      : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
  }
}

function signingKey(alg: 'ES256' | 'RS256') {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg }
}
