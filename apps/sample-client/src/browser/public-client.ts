import { type Asked, type AuthorizationClient, isLoopback } from '../flow/authorization-client.js'
import * as oauth from '../flow/oauth4webapi.js'

export interface PublicSettings {
  readonly issuer: string
  readonly resource: string
  readonly clientId: string
  readonly redirectUri: string
}

/** The face that runs in the browser and has no secret: PKCE binds the code to the page that asked. */
export class PublicClient implements AuthorizationClient {
  readonly #client: oauth.Client
  readonly #options: { [oauth.allowInsecureRequests]: boolean }
  #discovery: Promise<oauth.AuthorizationServer> | undefined

  constructor(private readonly settings: PublicSettings) {
    this.#client = { client_id: settings.clientId }
    this.#options = { [oauth.allowInsecureRequests]: isLoopback(new URL(settings.issuer)) }
  }

  async ask(scope: string) {
    const verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const { authorization_endpoint } = await this.#discovered()
    if (authorization_endpoint === undefined) throw new Error('The metadata names no authorization endpoint.')
    const url = new URL(authorization_endpoint)
    const parameters = {
      response_type: 'code',
      client_id: this.settings.clientId,
      redirect_uri: this.settings.redirectUri,
      scope,
      resource: this.settings.resource,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return { url, asked: { state, verifier, scope } }
  }

  async redeem(callback: URL, { state, verifier }: Asked) {
    const server = await this.#discovered()
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      this.#client,
      oauth.None(),
      oauth.validateAuthResponse(server, this.#client, callback, state),
      this.settings.redirectUri,
      verifier,
      this.#options,
    )
    return oauth.processAuthorizationCodeResponse(server, this.#client, response)
  }

  async refresh(refreshToken: string) {
    const server = await this.#discovered()
    const response = await oauth.refreshTokenGrantRequest(
      server,
      this.#client,
      oauth.None(),
      refreshToken,
      this.#options,
    )
    return oauth.processRefreshTokenResponse(server, this.#client, response)
  }

  async revoke(token: string) {
    const server = await this.#discovered()
    const response = await oauth.revocationRequest(server, this.#client, oauth.None(), token, this.#options)
    await oauth.processRevocationResponse(response)
  }

  call(accessToken: string, method: 'GET' | 'POST', draft?: object) {
    const headers = new Headers(draft && { 'content-type': 'application/json' })
    const body = draft ? JSON.stringify(draft) : null
    return oauth.protectedResourceRequest(
      accessToken,
      method,
      new URL(this.settings.resource),
      headers,
      body,
      this.#options,
    )
  }

  /** Once; again after a failure. */
  #discovered(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.settings.issuer)
    this.#discovery ??= oauth
      .discoveryRequest(issuer, { algorithm: 'oauth2', ...this.#options })
      .then(response => oauth.processDiscoveryResponse(issuer, response))
      .catch(error => {
        this.#discovery = undefined
        throw error
      })
    return this.#discovery
  }
}
