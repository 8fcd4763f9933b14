import * as oidc from 'openid-client'
import {
  type Asked,
  type AuthorizationClient,
  isLoopback,
  type TokenResponse,
} from '../flow/authorization-client.js'
import type { SampleClientConfig } from '../sample-client.config.js'

const timeoutSeconds = 10

/** The face that runs on a server and keeps a secret. */
export class ConfidentialClient implements AuthorizationClient {
  readonly redirectUri: string
  #discovery: Promise<oidc.Configuration> | undefined

  constructor(
    private readonly config: SampleClientConfig,
    private readonly logger: { warn(facts: object, message: string): void },
  ) {
    this.redirectUri = `${config.PUBLIC_URL.replace(/\/$/, '')}/confidential/callback`
  }

  /** Undefined while the authorization server can not be reached. */
  async authorizationEndpoint(): Promise<string | undefined> {
    return this.#discovered().then(
      server => server.serverMetadata().authorization_endpoint,
      () => undefined,
    )
  }

  async ask(scope: string) {
    const server = await this.#discovered()
    const verifier = oidc.randomPKCECodeVerifier()
    const state = oidc.randomState()
    const url = oidc.buildAuthorizationUrl(server, {
      redirect_uri: this.redirectUri,
      scope,
      resource: this.config.RESOURCE,
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return { url, asked: { state, verifier, scope } }
  }

  async redeem(callback: URL, { state, verifier }: Asked): Promise<TokenResponse> {
    return oidc.authorizationCodeGrant(await this.#discovered(), callback, {
      expectedState: state,
      pkceCodeVerifier: verifier,
    })
  }

  async refresh(refreshToken: string): Promise<TokenResponse> {
    return oidc.refreshTokenGrant(await this.#discovered(), refreshToken)
  }

  async revoke(token: string) {
    await oidc.tokenRevocation(await this.#discovered(), token)
  }

  async call(accessToken: string, method: 'GET' | 'POST', draft?: object) {
    const headers = new Headers(draft && { 'content-type': 'application/json' })
    const body = draft ? JSON.stringify(draft) : null
    const server = await this.#discovered()
    return oidc.fetchProtectedResource(
      server,
      accessToken,
      new URL(this.config.RESOURCE),
      method,
      body,
      headers,
    )
  }

  /** Once; again after a failure. */
  #discovered(): Promise<oidc.Configuration> {
    const { ISSUER, CONFIDENTIAL_CLIENT_ID, CONFIDENTIAL_CLIENT_SECRET } = this.config
    const issuer = new URL(ISSUER)
    this.#discovery ??= oidc
      .discovery(
        issuer,
        CONFIDENTIAL_CLIENT_ID,
        undefined,
        oidc.ClientSecretBasic(CONFIDENTIAL_CLIENT_SECRET),
        {
          algorithm: 'oauth2',
          timeout: timeoutSeconds,
          execute: isLoopback(issuer) ? [oidc.allowInsecureRequests] : [],
        },
      )
      .catch(error => {
        this.#discovery = undefined
        this.logger.warn({ err: error }, 'the authorization server’s metadata can not be read')
        throw error
      })
    return this.#discovery
  }
}
