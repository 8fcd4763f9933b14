import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { thumbprintOf } from '@grantlog/oauth'
import { Problem } from '@grantlog/platform'
import { certificates } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { proofBody, readProof, shownProof } from './client-proof.js'

const schema = z.strictObject(proofBody)
const read = (body: object) => readProof(schema.parse(body))
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = ec.publicKey.export({ format: 'jwk' })
const keys = (...list: object[]) => ({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: list } })
const x5c = (name: keyof typeof certificates) => [
  new X509Certificate(certificates[name]).raw.toString('base64'),
]
const selfSigned = (...list: object[]) => ({
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  jwks: { keys: list },
})
const byName = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'client.example' }

describe('how a client proves who it is', () => {
  it.each([
    ['a secret, unless it says otherwise (RFC 7591 §2)', {}, {}],
    ['nothing', { token_endpoint_auth_method: 'none' }, { tokenEndpointAuthMethod: 'none' }],
    [
      'a key on P-256',
      keys({ ...jwk, kid: 'one', use: 'sig', alg: 'ES256' }),
      { tokenEndpointAuthMethod: 'private_key_jwt', keys: [{ keyId: 'one', jwk }] },
    ],
    [
      'a name in its certificate (RFC 8705 §2.1.2)',
      byName,
      {
        tokenEndpointAuthMethod: 'tls_client_auth',
        certificates: [{ kind: 'san_dns', value: 'client.example' }],
      },
    ],
    [
      'a certificate of its own (RFC 8705 §2.2)',
      selfSigned({ ...jwk, x5c: x5c('selfSigned') }),
      {
        tokenEndpointAuthMethod: 'self_signed_tls_client_auth',
        certificates: [
          { kind: 'thumbprint', value: thumbprintOf(new X509Certificate(certificates.selfSigned)) },
        ],
      },
    ],
    [
      'a key that signs requests, beside a secret',
      { jwks: { keys: [jwk] } },
      { keys: [{ keyId: null, jwk }] },
    ],
    [
      'a key that signs requests, beside a certificate',
      selfSigned({ ...jwk, x5c: x5c('selfSigned') }, jwk),
      {
        tokenEndpointAuthMethod: 'self_signed_tls_client_auth',
        keys: [{ keyId: null, jwk }],
        certificates: [
          { kind: 'thumbprint', value: thumbprintOf(new X509Certificate(certificates.selfSigned)) },
        ],
      },
    ],
    [
      'requests that are pushed (RFC 9126 §6)',
      { require_pushed_authorization_requests: true },
      { requirePushedRequests: true },
    ],
    [
      'requests that are signed (RFC 9101 §10.5)',
      { require_signed_request_object: true, jwks: { keys: [jwk] } },
      { requireSignedRequests: true, keys: [{ keyId: null, jwk }] },
    ],
    ['tokens bound to a DPoP key', { dpop_bound_access_tokens: true }, { senderConstraint: 'dpop' }],
    [
      'tokens bound to a certificate',
      { tls_client_certificate_bound_access_tokens: true },
      { senderConstraint: 'certificate' },
    ],
  ])('%s', (_, body, proof) => {
    expect(read(body)).toEqual({
      tokenEndpointAuthMethod: 'client_secret_basic',
      keys: [],
      certificates: [],
      senderConstraint: null,
      requirePushedRequests: false,
      requireSignedRequests: false,
      ...proof,
    })
  })

  it.each([
    ['ed25519', generateKeyPairSync('ed25519').publicKey],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
  ])('a key of %s', (_, key) => {
    const members = key.export({ format: 'jwk' })
    expect(read(keys(members)).keys).toEqual([{ keyId: null, jwk: members }])
  })

  const privateJwk = ec.privateKey.export({ format: 'jwk' })
  it.each<[string, object, string]>([
    ['keys of who keeps no secret', { ...keys(jwk), token_endpoint_auth_method: 'none' }, '/jwks'],
    [
      'signed requests without a key',
      { require_signed_request_object: true },
      '/require_signed_request_object',
    ],
    ['no keys', { token_endpoint_auth_method: 'private_key_jwt' }, '/jwks'],
    ['a private key', keys(jwk, privateJwk), '/jwks/keys/1'],
    ['a secret key', keys({ kty: 'oct', k: 'c2VjcmV0' }), '/jwks/keys/0'],
    ['two keys of one name', keys({ ...jwk, kid: 'a' }, { ...jwk, kid: 'a' }), '/jwks/keys'],
    ['a point that is not on its curve', keys({ ...jwk, y: jwk.x }), '/jwks/keys/0'],
    [
      'another curve',
      keys(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })),
      '/jwks/keys/0',
    ],
    [
      'a short RSA key',
      keys(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })),
      '/jwks/keys/0',
    ],
    ['a key for encryption', keys({ ...jwk, use: 'enc' }), '/jwks/keys/0/use'],
    ['a key of no type', keys({ kty: 'new' }), '/jwks/keys/0'],
    ['no certificate', selfSigned(jwk), '/jwks/keys/0/x5c'],
    ['a broken certificate', selfSigned({ ...jwk, x5c: ['AAAA'] }), '/jwks/keys/0/x5c'],
    [
      'one certificate twice',
      selfSigned({ ...jwk, x5c: x5c('client') }, { ...jwk, x5c: x5c('client') }),
      '/jwks/keys',
    ],
    ['no name', { token_endpoint_auth_method: 'tls_client_auth' }, '/token_endpoint_auth_method'],
    ['two names', { ...byName, tls_client_auth_san_ip: '192.0.2.7' }, '/token_endpoint_auth_method'],
    ['a name where none is used', { tls_client_auth_san_ip: '192.0.2.7' }, '/tls_client_auth_san_ip'],
    [
      'what is no distinguished name',
      { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'Ledgerly' },
      '/tls_client_auth_subject_dn',
    ],
    [
      'two bindings',
      { dpop_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true },
      '/dpop_bound_access_tokens',
    ],
  ])('is refused: %s', (_, body, pointer) => {
    const refusal = () => read(body)
    expect(refusal).toThrow(Problem)
    expect(refusal).toThrow(new RegExp(`^${pointer}: `))
  })

  it.each([
    keys({ ...jwk, kid: 'one' }),
    keys(jwk),
    byName,
    { require_pushed_authorization_requests: true },
    { dpop_bound_access_tokens: true },
    {},
  ])('is shown as it was registered, %#', body => {
    const shown = shownProof(read(body))
    expect(read(shown)).toEqual(read(body))
  })
})
