/**
 * What an authorization server tells about itself, in the RFC's own names. Absent members are unsupported.
 *
 * @see RFC 8414 §2; RFC 9126 §5, RFC 9101 §10.5, RFC 9396 §10, RFC 9701 §7, RFC 8628 §4, RFC 9207 §3, RFC 9449 §5.1, RFC 8705 §3.3 and §5, RFC 9728 §4 for the members they add
 */
export type AuthorizationServerMetadata = {
  issuer: string
  authorization_endpoint?: string | undefined
  token_endpoint: string
  jwks_uri?: string | undefined
  registration_endpoint?: string | undefined
  introspection_endpoint?: string | undefined
  revocation_endpoint?: string | undefined
  pushed_authorization_request_endpoint?: string | undefined
  device_authorization_endpoint?: string | undefined
  scopes_supported?: readonly string[] | undefined
  response_types_supported: readonly string[]
  response_modes_supported?: readonly string[] | undefined
  grant_types_supported?: readonly string[] | undefined
  token_endpoint_auth_methods_supported?: readonly string[] | undefined
  introspection_endpoint_auth_methods_supported?: readonly string[] | undefined
  revocation_endpoint_auth_methods_supported?: readonly string[] | undefined
  code_challenge_methods_supported?: readonly string[] | undefined
  token_endpoint_auth_signing_alg_values_supported?: readonly string[] | undefined
  introspection_endpoint_auth_signing_alg_values_supported?: readonly string[] | undefined
  introspection_signing_alg_values_supported?: readonly string[] | undefined
  revocation_endpoint_auth_signing_alg_values_supported?: readonly string[] | undefined
  dpop_signing_alg_values_supported?: readonly string[] | undefined
  tls_client_certificate_bound_access_tokens?: boolean | undefined
  mtls_endpoint_aliases?: Readonly<Record<string, string>> | undefined
  protected_resources?: readonly string[] | undefined
  authorization_response_iss_parameter_supported?: boolean | undefined
  require_pushed_authorization_requests?: boolean | undefined
  request_parameter_supported?: boolean | undefined
  request_uri_parameter_supported?: boolean | undefined
  request_object_signing_alg_values_supported?: readonly string[] | undefined
  require_signed_request_object?: boolean | undefined
  authorization_details_types_supported?: readonly string[] | undefined
  service_documentation?: string | undefined
  ui_locales_supported?: readonly string[] | undefined
  op_policy_uri?: string | undefined
  op_tos_uri?: string | undefined
}

/** What is left to say beside what every Grantlog server does: code flow, PKCE S256, `iss` in the response. */
export type AuthorizationServerInput = Omit<AuthorizationServerMetadata, 'response_types_supported'> &
  Partial<Pick<AuthorizationServerMetadata, 'response_types_supported'>>

/**
 * The metadata document of an authorization server. Undefined and empty members are left out.
 *
 * @throws TypeError when the issuer or the URL of an endpoint is not acceptable, naming the member
 * @see RFC 8414 §2, §3.2
 */
export function authorizationServerMetadata(input: AuthorizationServerInput): AuthorizationServerMetadata {
  assertIssuer(input.issuer)
  for (const [name, value] of Object.entries(input)) {
    // RFC 8414 §2: the JWK Set's URL "MUST use the "https" scheme"; RFC 6749 §3.1, §3.2: endpoints MUST use TLS, no fragment.
    if (typeof value === 'string' && /_endpoint$|^jwks_uri$/.test(name)) assertUrl(name, value)
  }
  for (const [name, value] of Object.entries(input.mtls_endpoint_aliases ?? {})) assertUrl(name, value)
  const metadata: AuthorizationServerMetadata = {
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'], // RFC 7636 §4.4.1: plain is refused
    authorization_response_iss_parameter_supported: true, // RFC 9207 §3
    ...withoutEmpty(input),
  }
  // RFC 8414 §2: the authorization endpoint is REQUIRED unless no supported grant type uses it; the default uses it.
  const grantTypes = metadata.grant_types_supported ?? ['authorization_code', 'implicit']
  if (metadata.authorization_endpoint === undefined && grantTypes.includes('authorization_code')) {
    throw new TypeError('authorization_endpoint is required with the grant type authorization_code.')
  }
  return metadata
}

/** What a protected resource tells about itself. @see RFC 9728 §2 */
export type ProtectedResourceMetadata = {
  resource: string
  authorization_servers?: readonly string[] | undefined
  jwks_uri?: string | undefined
  scopes_supported?: readonly string[] | undefined
  bearer_methods_supported?: readonly ('header' | 'body' | 'query')[] | undefined
  dpop_signing_alg_values_supported?: readonly string[] | undefined
  dpop_bound_access_tokens_required?: boolean | undefined
  resource_name?: string | undefined
  resource_documentation?: string | undefined
  resource_policy_uri?: string | undefined
  resource_tos_uri?: string | undefined
}

/**
 * The metadata document of a protected resource. Undefined and empty members are left out; tokens come in the header unless it
 * says otherwise.
 *
 * @throws TypeError when the resource, an issuer or the JWK Set's URL is not acceptable, naming the member
 * @see RFC 9728 §2, §3.2
 */
export function protectedResourceMetadata(input: ProtectedResourceMetadata): ProtectedResourceMetadata {
  assertUrl('resource', input.resource) // RFC 9728 §1.2: "uses the "https" scheme and has no fragment component"
  for (const issuer of input.authorization_servers ?? []) assertIssuer(issuer)
  if (input.jwks_uri !== undefined) assertUrl('jwks_uri', input.jwks_uri)
  return { bearer_methods_supported: ['header'], ...withoutEmpty(input) }
}

/**
 * The path at which the metadata of an issuer or a resource is found on its host: the well-known string is inserted before the
 * identifier's own path.
 *
 * @example wellKnownPath('https://a.example/one', 'openid-configuration') // /.well-known/openid-configuration/one
 * @see RFC 8414 §3.1, RFC 9728 §3.1
 */
export function wellKnownPath(identifier: string, suffix: string): string {
  const { pathname, search } = new URL(identifier)
  // RFC 8414 §3.1: "any terminating "/" MUST be removed before inserting".
  return `/.well-known/${suffix}${pathname.replace(/\/$/, '')}${search}`
}

/**
 * Accepts an issuer identifier: `https`, or `http` on the loopback interface for one machine; no query, no fragment.
 *
 * @throws TypeError
 * @see RFC 8414 §2
 */
export function assertIssuer(issuer: string): void {
  assertUrl('issuer', issuer)
  // RFC 8414 §2: "a URL that uses the "https" scheme and has no query or fragment components".
  if (issuer.includes('?')) throw new TypeError(`issuer must not have a query: ${issuer}`)
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

function assertUrl(name: string, value: string): void {
  const problem = urlProblem(value)
  if (problem !== undefined) throw new TypeError(`${name} ${problem}.`)
}

/**
 * What keeps a text from being the URL of an issuer, an endpoint or a resource, as `must use https`; undefined when nothing does. Plain
 * http is for one machine only.
 */
export function urlProblem(value: string): string | undefined {
  const url = URL.parse(value)
  if (!url || !/^https?:\/\/[^/\s]\S*$/i.test(value)) return 'must be an absolute https URL'
  if (url.username !== '' || url.password !== '') return 'must not have a user name or password'
  if (value.includes('#')) return 'must not have a fragment'
  if (url.protocol !== 'https:' && !LOOPBACK.has(url.hostname))
    return 'must use https: plain http is only for localhost, 127.0.0.1 and [::1]'
  return undefined
}

// RFC 8414 §3.2, RFC 9728 §3.2: members "with zero elements MUST be omitted".
function withoutEmpty<T extends object>(members: T): T {
  const kept = Object.entries(members).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(kept) as T
}
