import {
  type AuthorizationServerMetadata,
  authorizationServerMetadata,
  type ClientAuthenticationMethod,
  clientAuthenticationMethods,
  clientSigningAlgorithms,
} from '@grantlog/oauth'
import { Controller, Get, Header } from '@nestjs/common'
import { grants } from '../grants/index.js'
import { findDetailsTypes } from '../projections/apis.projection.js'
import type { TokenConfig } from '../token.config.js'
import { TokenServices } from '../token-services.js'
import { introspectionAlgorithm } from './introspection.controller.js'

/** What clients read before anything else: the metadata document (RFC 8414) and the keys (RFC 7517). */
@Controller()
export class MetadataController {
  constructor(private readonly services: TokenServices) {}

  @Get('.well-known/oauth-authorization-server')
  @Header('cache-control', 'public, max-age=300')
  async metadata(): Promise<AuthorizationServerMetadata> {
    return metadataOf(this.services.config, await findDetailsTypes(this.services.db))
  }

  @Get('jwks')
  @Header('cache-control', 'public, max-age=300')
  @Header('content-type', 'application/jwk-set+json')
  jwks() {
    return this.services.keys.jwks()
  }
}

/** The document lists what is there: grants come from the index, endpoints from the configuration, types from the APIs. */
export function metadataOf(
  config: Pick<
    TokenConfig,
    | 'ISSUER'
    | 'AUTHORIZATION_ENDPOINT'
    | 'PUSHED_AUTHORIZATION_REQUEST_ENDPOINT'
    | 'DEVICE_AUTHORIZATION_ENDPOINT'
    | 'MTLS_URL'
    | 'CLIENT_CERTIFICATE_HEADER'
    | 'CLIENT_CERTIFICATE_AUTHORITIES'
  >,
  detailsTypes: readonly string[],
): AuthorizationServerMetadata {
  const at = (path: string, base: string = config.ISSUER) => `${base.replace(/\/$/, '')}/${path}`
  const endpoints = (base?: string) => ({
    token_endpoint: at('token', base),
    revocation_endpoint: at('revoke', base),
    introspection_endpoint: at('introspect', base),
  })
  const methods = clientAuthenticationMethods.filter(method => isSupported(method, config))
  const algorithms = clientSigningAlgorithms
  return authorizationServerMetadata({
    issuer: config.ISSUER,
    authorization_endpoint: config.AUTHORIZATION_ENDPOINT,
    pushed_authorization_request_endpoint: config.PUSHED_AUTHORIZATION_REQUEST_ENDPOINT,
    device_authorization_endpoint: config.DEVICE_AUTHORIZATION_ENDPOINT,
    require_pushed_authorization_requests: false, // RFC 9126 §5; those clients must that are registered so (§6)
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: algorithms,
    // none but what was pushed: RFC 9126 §5 says that this does not concern those
    request_uri_parameter_supported: false,
    ...endpoints(),
    jwks_uri: at('jwks'),
    grant_types_supported: grants.map(grant => grant.type),
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: methods.filter(method => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_signing_alg_values_supported: [introspectionAlgorithm],
    dpop_signing_alg_values_supported: algorithms,
    authorization_details_types_supported: detailsTypes,
    tls_client_certificate_bound_access_tokens: config.CLIENT_CERTIFICATE_HEADER !== undefined || undefined,
    mtls_endpoint_aliases:
      config.MTLS_URL === undefined
        ? undefined
        : {
            ...endpoints(config.MTLS_URL),
            pushed_authorization_request_endpoint: at('par', config.MTLS_URL),
            device_authorization_endpoint: at('device_authorization', config.MTLS_URL),
          },
  })
}

/** Without a proxy that tells of certificates nobody can use one; without authorities, only a self-signed one. */
function isSupported(
  method: ClientAuthenticationMethod,
  config: Pick<TokenConfig, 'CLIENT_CERTIFICATE_HEADER' | 'CLIENT_CERTIFICATE_AUTHORITIES'>,
): boolean {
  if (!method.endsWith('tls_client_auth')) return true
  if (config.CLIENT_CERTIFICATE_HEADER === undefined) return false
  return method !== 'tls_client_auth' || (config.CLIENT_CERTIFICATE_AUTHORITIES ?? []).length > 0
}
