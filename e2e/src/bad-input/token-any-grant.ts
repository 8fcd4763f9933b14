import { expect } from '@jest/globals'
import { invalidRequest, type Material, redemption, redemptionAnd, send } from './token-requests.js'
import type { Wire, Wrong } from './wire.js'

const basicChallenge = { 'www-authenticate': expect.stringMatching(/^Basic realm="/) }

/** RFC 6749 §3.2, §5.2: whatever the grant type. */
export const anyGrant: readonly Wrong<Material>[] = [
  invalidRequest('no body', wire => wire.post('/token', ''), "'grant_type' is missing"),
  invalidRequest('grant_type missing', redemption({ grant_type: undefined }), "'grant_type' is missing"),
  // RFC 6749 §3.2: "Parameters sent without a value MUST be treated as if they were omitted"
  invalidRequest('grant_type empty', redemption({ grant_type: '' }), "'grant_type' is missing"),
  invalidRequest(
    'grant_type twice',
    redemptionAnd('&grant_type=authorization_code'),
    "'grant_type' is included more than once",
  ),
  {
    name: 'grant_type unknown',
    send: redemption({ grant_type: 'password' }),
    error: 'unsupported_grant_type',
    says: 'grant type',
  },
  {
    name: 'grant_type in other letters',
    send: redemption({ grant_type: 'Authorization_Code' }),
    error: 'unsupported_grant_type',
    says: 'grant type',
  },
  invalidRequest('a parameter too long', redemption({ state: 'x'.repeat(8193) }), "'state' is longer than"),
  invalidRequest('too many parameters', redemptionAnd('&a=1'.repeat(100)), 'more than 64 parameters'),
  invalidRequest('a body over 32 kB', redemptionAnd('&a=1'.repeat(9000)), 'longer than 32 kB'),
  {
    name: 'a body over 64 kB',
    send: redemptionAnd(`&a=${'1'.repeat(70_000)}`),
    status: 413,
    error: 'invalid_request',
    says: '64 kB',
  },
  invalidRequest('a percent sign without digits', redemptionAnd('&state=%zz'), "'state' is not percent"),
  invalidRequest('percent-encoded bytes that are no UTF-8', redemptionAnd('&state=%ff'), "'state' is not"),
  invalidRequest('a NUL character', redemptionAnd('&state=%00'), "'state' contains a control character"),
  invalidRequest(
    'raw bytes that are no ASCII',
    wire =>
      wire.raw(
        wire.url('/token'),
        'POST',
        { 'content-type': 'application/x-www-form-urlencoded' },
        Buffer.from([0x61, 0x3d, 0xff, 0xfe]),
      ),
    'form-urlencoded',
  ),
  // RFC 6749 §4.1.3: 'using the "application/x-www-form-urlencoded" format'
  invalidRequest(
    'JSON',
    (wire, { code }) =>
      wire.post('/token', JSON.stringify(wire.redemption(wire.confidential, code)), {
        ...wire.basic(wire.confidential),
        'content-type': 'application/json',
      }),
    'application/x-www-form-urlencoded',
  ),
  {
    name: 'plain text',
    send: (wire, { code }) =>
      wire.post('/token', wire.redemption(wire.confidential, code), { 'content-type': 'text/plain' }),
    status: 415,
    error: 'invalid_request',
    says: 'content type',
  },
  // RFC 6749 §2.3.1: "The parameters … MUST NOT be included in the request URI"
  invalidRequest(
    'parameters in the URL',
    (wire, { code }) =>
      wire.post(
        `/token?${new URLSearchParams(wire.redemption(wire.confidential, code))}`,
        '',
        wire.basic(wire.confidential),
      ),
    "'grant_type' is missing",
  ),
  ...['GET', 'PUT', 'DELETE', 'PATCH'].map(method => ({
    name: `method ${method}`,
    send: (wire: Wire) => fetch(wire.url('/token'), { method }),
    status: 405,
    error: 'invalid_request',
    says: `${method} is not allowed`,
    headers: { allow: 'POST' },
  })),
]

/** RFC 6749 §2.3, §3.2.1 */
export const clientAuthentication: readonly Wrong<Material>[] = [
  {
    name: 'a wrong secret in the header',
    send: (wire, { code }) =>
      send(
        wire,
        wire.redemption(wire.confidential, code),
        wire.basic({ id: wire.confidential.id, secret: 'not-the-secret-of-it' }),
      ),
    status: 401,
    error: 'invalid_client',
    says: 'Client authentication failed',
    headers: basicChallenge,
  },
  {
    name: 'an unknown client, in the same words',
    send: redemption({}, { authorization: `Basic ${btoa('nobody:not-the-secret')}` }),
    status: 401,
    error: 'invalid_client',
    says: 'Client authentication failed',
    headers: basicChallenge,
  },
  {
    name: 'a secret in the body, where it is registered for the header',
    send: (wire, material) =>
      redemption({ client_id: wire.confidential.id, client_secret: wire.confidential.secret }, {})(
        wire,
        material,
      ),
    status: 401,
    error: 'invalid_client',
    says: 'Client authentication failed',
  },
  {
    name: 'a confidential client without its secret',
    send: (wire, material) => redemption({ client_id: wire.confidential.id }, {})(wire, material),
    status: 401,
    error: 'invalid_client',
    says: 'Client authentication failed',
  },
  {
    name: 'no client at all',
    send: redemption({}, {}),
    status: 401,
    error: 'invalid_client',
    says: 'does not name its client',
  },
  {
    name: 'another scheme than Basic',
    send: redemption({}, { authorization: 'Bearer abcdefghijklmnop' }),
    status: 401,
    error: 'invalid_client',
    says: 'Basic client credentials',
    headers: basicChallenge,
  },
  {
    name: 'Basic without base64',
    send: redemption({}, { authorization: 'Basic ~~~~' }),
    status: 401,
    error: 'invalid_client',
    says: 'Basic client credentials',
    headers: basicChallenge,
  },
  {
    name: 'two Authorization lines',
    send: (wire, { code }) => {
      const { authorization = '' } = wire.basic(wire.confidential)
      return wire.raw(
        wire.url('/token'),
        'POST',
        {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: [authorization, `Basic ${btoa('nobody:not-the-secret')}`],
        },
        new URLSearchParams(wire.redemption(wire.confidential, code)).toString(),
      )
    },
    status: 401,
    error: 'invalid_client',
    says: 'Basic client credentials',
    headers: basicChallenge,
  },
  // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request"
  invalidRequest(
    'a secret in the header and one in the body',
    (wire, material) => redemption({ client_secret: wire.confidential.secret })(wire, material),
    'more than one client authentication method',
  ),
  invalidRequest(
    'another client_id than the header',
    (wire, material) => redemption({ client_id: wire.publicClient.id })(wire, material),
    "'client_id' differs",
  ),
  invalidRequest(
    'client_id twice',
    redemptionAnd('&client_id=a&client_id=a'),
    "'client_id' is included more than once",
  ),
  {
    name: 'a grant type that the client is not registered for',
    send: (wire: Wire) => send(wire, { grant_type: 'client_credentials' }),
    error: 'unauthorized_client',
    says: 'grant type',
  },
]
