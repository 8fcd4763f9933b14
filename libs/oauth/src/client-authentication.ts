import type { X509Certificate } from 'node:crypto'
import type { JWK } from 'jose'
import {
  isSignedByOneOf,
  JWT_BEARER_ASSERTION,
  readClientAssertion,
  subjectOfAssertion,
} from './client-assertion.js'
import { type CertificateName, isIssuedBy, isNamed } from './client-certificate.js'
import { matchesSecret, type SecretKeys } from './client-secret.js'
import { invalidClient, invalidRequest } from './errors.js'
import { type Profile, rulesOf } from './fapi2.js'
import { decodeFormComponent } from './form-component.js'
import type { Parameters } from './parameters.js'

/** How a client may authenticate, by the names of the IANA registry. @see RFC 7591 §2, RFC 8705 §2 */
export const clientAuthenticationMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const
export type ClientAuthenticationMethod = (typeof clientAuthenticationMethods)[number]

/** What must be known of a client to believe it. */
export interface RegisteredClient {
  readonly client_id: string
  readonly auth_method: ClientAuthenticationMethod
  /** Of its secrets: {@link matchesSecret}. */
  readonly verifiers: readonly string[]
  /** Public keys of `private_key_jwt`. */
  readonly keys: readonly JWK[]
  /** What its certificate is known by. */
  readonly certificates: readonly CertificateName[]
  readonly profile: Profile | null
  readonly suspended: boolean
}

/** What client authentication reads of a request. */
export interface ClientRequest {
  /** Value of the `Authorization` header. */
  readonly authorization: string | undefined
  readonly parameters: Parameters
  /** What the client proved to hold in TLS. */
  readonly certificate: X509Certificate | undefined
}

export interface ClientAuthentication<Client> {
  find(clientId: string): Promise<Client | undefined>
  /** True for the first who asks about an id, in every instance, until it has expired (seconds). */
  once(id: string, expiresAt: number): Promise<boolean>
  readonly issuer: string
  /** Seconds. */
  readonly now: number
  /** That secrets were hashed with. */
  readonly secretKeys: SecretKeys
  /** Who issues the certificates of `tls_client_auth`. */
  readonly certificateAuthorities: readonly X509Certificate[]
}

/**
 * The client of a request, when it is who it says. An unknown client and a wrong proof get the same answer.
 *
 * @throws OAuthError `invalid_client`, `invalid_request`
 * @see RFC 6749 §2.3, §3.2.1; RFC 7523 §3; RFC 8705 §2
 */
export async function authenticateClient<Client extends RegisteredClient>(
  request: ClientRequest,
  by: ClientAuthentication<Client>,
): Promise<Client> {
  const credentials = readClientCredentials(request)
  if (credentials.method === 'private_key_jwt') readClientAssertion(credentials.assertion, by)
  const client = await by.find(credentials.clientId)
  const refuse = (detail: string) =>
    invalidClient('Client authentication failed.', detail, {
      basic: credentials.method === 'client_secret_basic',
    })
  if (client === undefined) throw refuse('unknown client')
  const wrong =
    whatIsWrong(client, credentials, request.certificate, by) ??
    (credentials.method === 'private_key_jwt' && (await whatIsWrongWith(credentials.assertion, client, by)))
  if (wrong) throw refuse(wrong)
  return client
}

function whatIsWrong(
  client: RegisteredClient,
  credentials: ClientCredentials,
  certificate: X509Certificate | undefined,
  by: ClientAuthentication<unknown>,
): string | undefined {
  // RFC 8705 §2: a client that authenticates by certificate only names itself in the request
  const byCertificate = client.auth_method.endsWith('tls_client_auth')
  // RFC 7591 §2: the client uses the method that it is registered with
  if (credentials.method !== (byCertificate ? 'none' : client.auth_method))
    return `registered with ${client.auth_method}, used ${credentials.method}`
  if (byCertificate) {
    if (certificate === undefined) return 'no certificate'
    if (!isOf(client, certificate, by)) return 'another certificate'
  }
  if (credentials.secret !== undefined && !matchesSecret(credentials.secret, client.verifiers, by.secretKeys))
    return 'wrong secret'
  return client.suspended ? 'suspended' : undefined
}

async function whatIsWrongWith(
  text: string,
  client: RegisteredClient,
  by: ClientAuthentication<unknown>,
): Promise<string | undefined> {
  const assertion = readClientAssertion(text, by)
  if (!(await isSignedByOneOf(assertion, client.keys))) return 'signed with no key of the client'
  if (!rulesOf(client.profile).algorithms.includes(assertion.algorithm))
    return `signed with ${assertion.algorithm}, which its profile does not allow`
  // RFC 7523 §3: "ensure that JWTs are not replayed by maintaining the set of used "jti" values"
  const id = `assertion ${assertion.clientId} ${assertion.id}`
  return (await by.once(id, assertion.expiresAt)) ? undefined : 'the assertion was used before'
}

function isOf(
  client: RegisteredClient,
  certificate: X509Certificate,
  { certificateAuthorities, now }: ClientAuthentication<unknown>,
): boolean {
  // RFC 8705 §2.2: of a self-signed one "the certificate chain is not validated"; §2.1: of any other it is
  const trusted =
    client.auth_method === 'self_signed_tls_client_auth' ||
    isIssuedBy(certificate, certificateAuthorities, now)
  return trusted && client.certificates.some(name => isNamed(certificate, name))
}

/** What a client presents to say who it is. `none` is one that only names itself here. */
export type ClientCredentials =
  | { method: 'client_secret_basic' | 'client_secret_post'; clientId: string; secret: string }
  | { method: 'private_key_jwt'; clientId: string; assertion: string; secret?: undefined }
  | { method: 'none'; clientId: string; secret?: undefined }

/**
 * The one authentication method that a request uses, not yet verified.
 *
 * @param request.authorization value of the `Authorization` header
 * @throws OAuthError `invalid_request` when it uses several methods or names two clients, `invalid_client` when it uses none or
 *   one that can't be read
 * @see RFC 6749 §2.3, §2.3.1, §3.2.1
 */
export function readClientCredentials(request: {
  authorization: string | undefined
  parameters: Parameters
}): ClientCredentials {
  const { authorization, parameters } = request
  const secret = parameters.get('client_secret')
  const assertion = parameters.get('client_assertion')

  // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
  if ([authorization, secret, assertion].filter(used => used !== undefined).length > 1) {
    throw invalidRequest('The request uses more than one client authentication method.')
  }

  const clientId = parameters.get('client_id')
  if (assertion !== undefined) return readAssertion(assertion, parameters)
  if (authorization !== undefined) {
    const credentials = readBasic(authorization)
    if (clientId !== undefined && clientId !== credentials.clientId) {
      throw invalidRequest("Parameter 'client_id' differs from the client of the Authorization header.")
    }
    return credentials
  }
  if (secret !== undefined) {
    // RFC 6749 §2.3.1: client_id is REQUIRED beside client_secret.
    return { method: 'client_secret_post', clientId: parameters.require('client_id'), secret }
  }
  // RFC 6749 §3.2.1: a client that does not authenticate sends its client_id.
  if (clientId === undefined) throw invalidClient('The request does not name its client.')
  return { method: 'none', clientId }
}

// RFC 7521 §4.2, RFC 7523 §2.2
function readAssertion(assertion: string, parameters: Parameters): ClientCredentials {
  if (parameters.require('client_assertion_type') !== JWT_BEARER_ASSERTION)
    throw invalidClient(`Parameter 'client_assertion_type' must be ${JWT_BEARER_ASSERTION}.`)
  const clientId = subjectOfAssertion(assertion)
  const named = parameters.get('client_id')
  // RFC 7521 §4.2: the client_id "MUST identify the same client as is identified by the client assertion"
  if (named !== undefined && named !== clientId)
    throw invalidRequest("Parameter 'client_id' differs from the client of the assertion.")
  return { method: 'private_key_jwt', clientId, assertion }
}

// RFC 6749 §2.3.1, RFC 7617 §2
function readBasic(authorization: string): ClientCredentials {
  const refuse = (detail: string) =>
    invalidClient('The Authorization header does not hold Basic client credentials.', detail, { basic: true })

  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) throw refuse('not the Basic scheme with base64')
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) throw refuse('base64 is not canonical')
  const pair = bytes.toString('latin1')
  // RFC 7617 §2: the first colon ends the user-id; form-urlencoding has encoded any colon of the client_id.
  const colon = pair.indexOf(':')
  if (colon < 0) throw refuse('no colon between client id and secret')
  // RFC 6749 §2.3.1: both are form-urlencoded before they are joined.
  const clientId = decodeFormComponent(pair.slice(0, colon))
  const secret = decodeFormComponent(pair.slice(colon + 1))
  if (clientId === undefined || secret === undefined) throw refuse('not form-urlencoded')
  // RFC 6749 Appendix A.1, A.2: *VSCHAR; an empty client_id names nobody.
  if (!/^[\x20-\x7e]+$/.test(clientId) || !/^[\x20-\x7e]*$/.test(secret)) {
    throw refuse('client id or secret outside printable ASCII')
  }
  return { method: 'client_secret_basic', clientId, secret }
}
