import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import type { RunningSystem } from './running-system.js'

/** What a client got, whichever library it is written with. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly scope: string
}

/** An application as a team would write it: two independent libraries, one interface for the tests. */
export interface TestClient {
  readonly redirectUri: string
  authorizationUrl(scope: string): Promise<string>
  redeem(callback: URL): Promise<Tokens>
  refresh(refreshToken: string): Promise<Tokens>
  revoke(token: string): Promise<void>
}

/** The confidential client: `openid-client`, secret in the header. */
export async function confidentialClient({
  installation,
  demo,
  audience,
}: RunningSystem): Promise<TestClient> {
  const { id, secret } = demo.confidential
  const config = await oidc.discovery(
    new URL(installation.url('token')),
    id,
    undefined,
    oidc.ClientSecretBasic(secret),
    {
      algorithm: 'oauth2',
      execute: [oidc.allowInsecureRequests],
    },
  )
  const redirectUri = `${installation.url('sample-client')}/confidential/callback`
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  return {
    redirectUri,
    async authorizationUrl(scope) {
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope,
        resource: audience,
        state,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return url.href
    },
    redeem: async callback =>
      tokens(
        await oidc.authorizationCodeGrant(config, callback, {
          pkceCodeVerifier: verifier,
          expectedState: state,
        }),
      ),
    refresh: async refreshToken => tokens(await oidc.refreshTokenGrant(config, refreshToken)),
    revoke: token => oidc.tokenRevocation(config, token),
  }
}

/** The public client: `oauth4webapi`, PKCE, no secret. */
export async function publicClient({ installation, demo, audience }: RunningSystem): Promise<TestClient> {
  const options = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(installation.url('token'))
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
  const server = await oauth.processDiscoveryResponse(issuer, discovered)
  const client: oauth.Client = { client_id: demo.publicClient.id }
  const redirectUri = `${installation.url('sample-client')}/public/callback`
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  return {
    redirectUri,
    async authorizationUrl(scope) {
      const url = new URL(server.authorization_endpoint ?? '')
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: client.client_id,
        redirect_uri: redirectUri,
        scope,
        resource: audience,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).toString()
      return url.href
    },
    async redeem(callback) {
      const parameters = oauth.validateAuthResponse(server, client, callback, state)
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        parameters,
        redirectUri,
        verifier,
        options,
      )
      return tokens(await oauth.processAuthorizationCodeResponse(server, client, response))
    },
    async refresh(refreshToken) {
      const response = await oauth.refreshTokenGrantRequest(
        server,
        client,
        oauth.None(),
        refreshToken,
        options,
      )
      return tokens(await oauth.processRefreshTokenResponse(server, client, response))
    },
    async revoke(token) {
      const response = await oauth.revocationRequest(server, client, oauth.None(), token, options)
      await oauth.processRevocationResponse(response)
    },
  }
}

/** The token service hears of a revocation in its own time, as each resource server does. Returns how it refused at last. */
export async function refreshUntilRefused(client: TestClient, refreshToken: string): Promise<unknown> {
  for (let token = refreshToken, tries = 0; tries < 500; tries++) {
    try {
      token = (await client.refresh(token)).refreshToken
    } catch (error) {
      return error
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('The token service still refreshes')
}

function tokens(response: { access_token: string; refresh_token?: string; scope?: string }): Tokens {
  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token ?? '',
    scope: response.scope ?? '',
  }
}
