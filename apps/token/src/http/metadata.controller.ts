import { type AuthorizationServerMetadata, authorizationServerMetadata } from '@grantlog/oauth'
import { Controller, Get, Header } from '@nestjs/common'
import { grants } from '../grants/index.js'
import { TokenServices } from '../token-services.js'

const authMethods = ['client_secret_basic', 'client_secret_post', 'none'] as const

/** What clients read before anything else: the metadata document (RFC 8414) and the keys (RFC 7517). */
@Controller()
export class MetadataController {
  constructor(private readonly services: TokenServices) {}

  @Get('.well-known/oauth-authorization-server')
  @Header('cache-control', 'public, max-age=300')
  metadata(): AuthorizationServerMetadata {
    return metadataOf(this.services.config)
  }

  @Get('jwks')
  @Header('cache-control', 'public, max-age=300')
  @Header('content-type', 'application/jwk-set+json')
  jwks() {
    return this.services.keys.jwks()
  }
}

/** The document lists what is there: grants come from the index, endpoints from the configuration. */
export function metadataOf(config: {
  ISSUER: string
  AUTHORIZATION_ENDPOINT: string
}): AuthorizationServerMetadata {
  const at = (path: string) => `${config.ISSUER.replace(/\/$/, '')}/${path}`
  return authorizationServerMetadata({
    issuer: config.ISSUER,
    authorization_endpoint: config.AUTHORIZATION_ENDPOINT,
    token_endpoint: at('token'),
    jwks_uri: at('jwks'),
    revocation_endpoint: at('revoke'),
    introspection_endpoint: at('introspect'),
    grant_types_supported: grants.map(grant => grant.type),
    token_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint_auth_methods_supported: authMethods.filter(method => method !== 'none'),
  })
}
