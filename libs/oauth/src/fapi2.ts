import { type ClientSigningAlgorithm, clientSigningAlgorithms } from './algorithms.js'
import { invalidTarget } from './errors.js'
import type { SigningAlgorithm } from './jwk.js'

/** The profiles that a client or an API may be held to: `fapi2` is the FAPI 2.0 Security Profile (final). */
export const profiles = ['fapi2'] as const
export type Profile = (typeof profiles)[number]

/**
 * What differs, by profile, when a client asks for a token or sends it. What a profile does not allow in a registration is refused there:
 * {@link fapi2Violation}.
 */
export interface ProfileRules {
  /** In which the client may sign, and its tokens may be signed. */
  readonly algorithms: readonly ClientSigningAlgorithm[]
  /** Whether every token must be bound to its sender. */
  readonly boundTokensOnly: boolean
  /** The longest life of an authorization code, in seconds. */
  readonly codeSeconds: number
  /** The longest life of a pushed request that no browser has brought, in seconds. */
  readonly pushedRequestSeconds: number
  /** Whether a pushed request must name its redirect URI, also where only one is registered. */
  readonly namesRedirectUri: boolean
  /** Whether a refresh token is replaced when it is used. */
  readonly rotatesRefreshTokens: boolean
}

const open: ProfileRules = {
  algorithms: clientSigningAlgorithms,
  boundTokensOnly: false,
  codeSeconds: Number.POSITIVE_INFINITY,
  pushedRequestSeconds: Number.POSITIVE_INFINITY,
  namesRedirectUri: false,
  rotatesRefreshTokens: true,
}
const fapi2: ProfileRules = {
  algorithms: ['ES256', 'Ed25519', 'EdDSA', 'PS256'], // §5.4.1-1: of EdDSA "the Ed25519 variant"
  boundTokensOnly: true, // §5.3.2.1-4, §5.3.4-5
  codeSeconds: 60, // §5.3.2.1-11
  pushedRequestSeconds: 599, // §5.3.2.2-12: "less than 600 seconds"
  namesRedirectUri: true, // §5.3.2.2-6
  rotatesRefreshTokens: false, // §5.3.2.1-9
}

/** @param profile null: none */
export function rulesOf(profile: Profile | null): ProfileRules {
  return profile === null ? open : fapi2
}

/** Of a client's metadata (RFC 7591 §2), what the profile looks at. */
export interface Fapi2Metadata {
  readonly token_endpoint_auth_method: string
  readonly grant_types: readonly string[]
  readonly redirect_uris: readonly string[]
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined
  readonly dpop_bound_access_tokens: boolean
  readonly tls_client_certificate_bound_access_tokens: boolean
}

/** What the profile does not allow: where it stands (RFC 6901), and why. */
export interface Violation {
  readonly pointer: string
  readonly why: string
}

/**
 * The first thing in a client's metadata that the profile does not allow, or undefined.
 *
 * @see FAPI 2.0 Security Profile §5.3.2.1, §5.3.2.2, §5.4.1
 */
export function fapi2Violation(metadata: Fapi2Metadata): Violation | undefined {
  const refuse = (pointer: string, why: string): Violation => ({ pointer, why: `the profile fapi2 ${why}` })
  // §5.3.2.1-3, -6
  if (!methods.includes(metadata.token_endpoint_auth_method))
    return refuse('/token_endpoint_auth_method', `needs one of ${methods.join(', ')}`)
  // §5.3.2.1-2; Note 2: the code flow has been analysed, and client credentials act for nobody
  const grant = metadata.grant_types.findIndex(type => !grants.includes(type))
  if (grant >= 0) return refuse(`/grant_types/${grant}`, `allows only ${grants.join(', ')}`)
  // §5.3.2.1-4, -5
  if (!metadata.dpop_bound_access_tokens && !metadata.tls_client_certificate_bound_access_tokens)
    return refuse(
      '/dpop_bound_access_tokens',
      'needs tokens that are bound: say so here, or in tls_client_certificate_bound_access_tokens',
    )
  // §5.3.2.2-8
  const plain = metadata.redirect_uris.findIndex(uri => !/^https:/i.test(uri))
  if (plain >= 0) return refuse(`/redirect_uris/${plain}`, 'needs https')
  // §5.4.1-1
  const keys = metadata.jwks?.keys ?? []
  const key = keys.findIndex(({ alg }) => alg !== undefined && !fapi2.algorithms.some(name => name === alg))
  if (key >= 0) return refuse(`/jwks/keys/${key}/alg`, `allows only ${fapi2.algorithms.join(', ')}`)
  return undefined
}

const methods: readonly string[] = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']
const grants: readonly string[] = ['authorization_code', 'refresh_token', 'client_credentials']

/**
 * Accepts a token of a client for an API: one with a profile takes tokens only of clients with the same, whose tokens are never signed in
 * what the profile does not allow.
 *
 * @throws OAuthError `invalid_target`
 * @see FAPI 2.0 Security Profile §5.3.2.1-4, §5.4.1-1; RFC 8707 §2
 */
export function assertProfilesFit(
  client: { readonly profile: Profile | null },
  api: { readonly profile: Profile | null; readonly signing_alg: SigningAlgorithm },
): void {
  if (api.profile !== null && client.profile !== api.profile)
    throw invalidTarget(`The API takes only tokens of clients with the profile ${api.profile}.`)
  if (!rulesOf(client.profile).algorithms.includes(api.signing_alg))
    throw invalidTarget(
      `The API's tokens are signed with ${api.signing_alg}, which the client's profile does not allow.`,
    )
}
