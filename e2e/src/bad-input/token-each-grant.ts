import {
  forItself,
  invalidGrant,
  invalidRequest,
  type Material,
  redemption,
  redemptionAnd,
  refreshing,
  send,
} from './token-requests.js'
import { tampered, type Wrong } from './wire.js'

/** RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2 */
export const authorizationCode: readonly Wrong<Material>[] = [
  invalidRequest('code missing', redemption({ code: undefined }), "'code' is missing"),
  invalidRequest('code empty', redemption({ code: '' }), "'code' is missing"),
  invalidRequest('code twice', redemptionAnd('&code=x'), "'code' is included more than once"),
  invalidRequest('code too long', redemption({ code: 'x'.repeat(8193) }), "'code' is longer than"),
  invalidGrant('code made up', redemption({ code: 'made-up' }), 'code is invalid'),
  invalidGrant(
    'code tampered with',
    (wire, material) => redemption({ code: tampered(material.code.code) })(wire, material),
    'code is invalid',
  ),
  // RFC 6749 §4.1.3: "ensure that the authorization code was issued to the authenticated confidential client"
  invalidGrant(
    'code of another client',
    (wire, material) =>
      redemption({ code: material.foreignCode.code, code_verifier: material.foreignCode.verifier })(
        wire,
        material,
      ),
    'another client',
  ),
  invalidRequest('verifier missing', redemption({ code_verifier: undefined }), "'code_verifier' is missing"),
  invalidRequest('verifier empty', redemption({ code_verifier: '' }), "'code_verifier' is missing"),
  invalidRequest('verifier twice', redemptionAnd('&code_verifier=x'), "'code_verifier' is included more"),
  // RFC 7636 §4.1: "minimum length of 43 characters and a maximum length of 128 characters"
  invalidRequest('verifier of 42', redemption({ code_verifier: 'v'.repeat(42) }), "'code_verifier' must be"),
  invalidRequest('verifier of 129', redemption({ code_verifier: 'v'.repeat(129) }), "'code_verifier' must"),
  invalidRequest('verifier with +', redemption({ code_verifier: '+'.repeat(43) }), "'code_verifier' must be"),
  // RFC 7636 §4.6: 'If the values are not equal, an error response indicating "invalid_grant"'
  invalidGrant('verifier wrong', redemption({ code_verifier: 'v'.repeat(43) }), "'code_verifier' does not"),
  invalidRequest('redirect_uri missing', redemption({ redirect_uri: undefined }), "'redirect_uri'"),
  invalidGrant(
    'redirect_uri of another',
    redemption({ redirect_uri: 'https://attacker.example/cb' }),
    "'redirect_uri' differs",
  ),
  invalidGrant(
    'redirect_uri with a slash more',
    (wire, material) => redemption({ redirect_uri: `${wire.confidential.redirectUri}/` })(wire, material),
    "'redirect_uri' differs",
  ),
  {
    name: 'another resource',
    send: redemption({ resource: 'urn:grantlog:platform' }),
    error: 'invalid_target',
    says: 'another resource',
  },
  {
    name: 'a resource that is no absolute URI',
    send: redemption({ resource: '/invoices' }),
    error: 'invalid_target',
    says: "'resource' must be an absolute URI",
  },
  {
    name: 'two resources',
    send: redemptionAnd('&resource=urn:a&resource=urn:b'),
    error: 'invalid_target',
    says: "'resource'",
  },
]

/** RFC 6749 §6 */
export const refreshToken: readonly Wrong<Material>[] = [
  invalidRequest('missing', refreshing({ refresh_token: undefined }), "'refresh_token' is missing"),
  invalidRequest('empty', refreshing({ refresh_token: '' }), "'refresh_token' is missing"),
  invalidRequest('too long', refreshing({ refresh_token: 'x'.repeat(9000) }), "'refresh_token' is longer"),
  invalidGrant('made up', refreshing({ refresh_token: 'made-up' }), 'refresh token is invalid'),
  invalidGrant(
    'tampered with',
    (wire, material) =>
      refreshing({ refresh_token: tampered(material.tokens.refresh_token) })(wire, material),
    'refresh token is invalid',
  ),
  invalidGrant(
    'an access token',
    (wire, material) => refreshing({ refresh_token: material.tokens.access_token })(wire, material),
    'refresh token is invalid',
  ),
  // RFC 6749 §6: "the authorization server MUST … ensure that the refresh token was issued to the authenticated client"
  invalidGrant(
    'of another client',
    (wire, material) => refreshing({ refresh_token: material.foreign.refresh_token })(wire, material),
    'refresh token is invalid',
  ),
  // RFC 6749 §6: the scope "MUST NOT include any scope not originally granted by the resource owner"
  {
    name: 'scope beyond the grant',
    send: refreshing({ scope: 'invoices:read invoices:write' }),
    error: 'invalid_scope',
    says: "'invoices:write'",
  },
  { name: 'scope malformed', send: refreshing({ scope: 'a  b' }), error: 'invalid_scope', says: "'scope'" },
  {
    name: 'another resource',
    send: refreshing({ resource: 'https://other.example/' }),
    error: 'invalid_target',
    says: 'another resource',
  },
]

/** RFC 6749 §4.4, RFC 8707 §2 */
export const clientCredentials: readonly Wrong<Material>[] = [
  {
    name: 'scope that the client is not registered for',
    send: forItself({ scope: 'invoices:read' }),
    error: 'invalid_scope',
    says: "'invoices:read'",
  },
  {
    name: 'scope with a quote',
    send: forItself({ scope: '"clients:read"' }),
    error: 'invalid_scope',
    says: "'scope'",
  },
  {
    name: 'unknown resource',
    send: forItself({ resource: 'https://unknown.example/' }),
    error: 'invalid_target',
    says: 'resource',
  },
  {
    name: 'a resource with a fragment',
    send: forItself({ resource: 'urn:grantlog:platform#a' }),
    error: 'invalid_target',
    says: "'resource' must not have a fragment",
  },
  {
    name: 'a public client',
    send: wire => send(wire, { grant_type: 'client_credentials', client_id: wire.publicClient.id }, {}),
    error: 'unauthorized_client',
    says: 'grant type',
  },
]
