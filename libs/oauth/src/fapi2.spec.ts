import { describe, expect, it } from '@jest/globals'
import { assertProfilesFit, type Fapi2Metadata, fapi2Violation, rulesOf } from './fapi2.js'
import { signingAlgorithms } from './jwk.js'

const sound: Fapi2Metadata = {
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  redirect_uris: ['https://client.example/callback'],
  jwks: { keys: [{ kty: 'EC' }] },
  dpop_bound_access_tokens: true,
  tls_client_certificate_bound_access_tokens: false,
}
const byCertificate = { dpop_bound_access_tokens: false, tls_client_certificate_bound_access_tokens: true }

describe('what FAPI 2.0 asks of a client', () => {
  it.each<[string, Partial<Fapi2Metadata>]>([
    ['§5.3.2.1-5: DPoP', {}],
    ['§5.3.2.1-5: a certificate', byCertificate],
    ['§5.3.2.1-6: private_key_jwt', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['§5.3.2.1-6: mTLS, a name', { token_endpoint_auth_method: 'tls_client_auth', jwks: undefined }],
    ['§5.3.2.1-6: mTLS, its own', { token_endpoint_auth_method: 'self_signed_tls_client_auth' }],
    ['§5.4.1-1: ES256', { jwks: { keys: [{ alg: 'ES256' }] } }],
    ['§5.4.1-1: PS256', { jwks: { keys: [{ alg: 'PS256' }] } }],
    ['§5.4.1-1: EdDSA, by either name', { jwks: { keys: [{ alg: 'EdDSA' }, { alg: 'Ed25519' }] } }],
    ['a client that acts for itself', { grant_types: ['client_credentials'], redirect_uris: [] }],
  ])('%s will do', (_, change) => {
    expect(fapi2Violation({ ...sound, ...change })).toBeUndefined()
  })

  const method = '/token_endpoint_auth_method'
  it.each<[string, Partial<Fapi2Metadata>, string, string]>([
    ['§5.3.2.1-3: a public client', { token_endpoint_auth_method: 'none' }, method, 'private_key_jwt'],
    ['§5.3.2.1-6: a secret', { token_endpoint_auth_method: 'client_secret_basic' }, method, 'needs one of'],
    [
      '§5.3.2.1-6: a posted secret',
      { token_endpoint_auth_method: 'client_secret_post' },
      method,
      'needs one of',
    ],
    ['§5.3.2.1-2: passwords', { grant_types: ['password'] }, '/grant_types/0', 'allows only'],
    [
      'a grant that was not analysed (§5.3.2.1 Note 2)',
      { grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] },
      '/grant_types/1',
      'allows only authorization_code, refresh_token, client_credentials',
    ],
    [
      '§5.3.2.1-4: tokens that anybody can use',
      { dpop_bound_access_tokens: false },
      '/dpop_bound_access_tokens',
      'tls_client_certificate_bound_access_tokens',
    ],
    [
      '§5.3.2.2-8: plain http, also on loopback',
      { redirect_uris: ['https://client.example/', 'http://127.0.0.1/callback'] },
      '/redirect_uris/1',
      'needs https',
    ],
    [
      '§5.3.2.2-8: a scheme of its own',
      { redirect_uris: ['com.example.app:/callback'] },
      '/redirect_uris/0',
      'needs https',
    ],
    [
      '§5.4.1-1: RS256',
      { jwks: { keys: [{ alg: 'ES256' }, { alg: 'RS256' }] } },
      '/jwks/keys/1/alg',
      'allows only ES256, Ed25519, EdDSA, PS256',
    ],
    ['§5.4.1-1: none', { jwks: { keys: [{ alg: 'none' }] } }, '/jwks/keys/0/alg', 'allows only'],
  ])('%s will not', (_, change, pointer, says) => {
    const violation = fapi2Violation({ ...sound, ...change })
    expect(violation).toEqual({ pointer, why: expect.stringMatching(`^the profile fapi2 .*(${says})`) })
  })

  it('§5.3.2.1-9, §5.3.2.1-11, §5.3.2.2-6, §5.3.2.2-12, §5.4.1-1: is another answer to the same requests', () => {
    expect(rulesOf('fapi2')).toEqual({
      algorithms: ['ES256', 'Ed25519', 'EdDSA', 'PS256'],
      boundTokensOnly: true,
      codeSeconds: 60,
      pushedRequestSeconds: 599,
      namesRedirectUri: true,
      rotatesRefreshTokens: false,
    })
    expect(rulesOf(null)).toMatchObject({
      boundTokensOnly: false,
      namesRedirectUri: false,
      rotatesRefreshTokens: true,
    })
  })
})

describe('which APIs FAPI 2.0 lets a client reach', () => {
  const es256 = { profile: null, signing_alg: 'ES256' } as const
  const refusal = (profile: 'fapi2' | null, api: Parameters<typeof assertProfilesFit>[1]) => () =>
    assertProfilesFit({ profile }, api)

  it('§5.3.2.1-4: one with the profile takes only clients with it', () => {
    const api = { ...es256, profile: 'fapi2' } as const
    expect(refusal('fapi2', api)).not.toThrow()
    expect(refusal(null, api)).toThrow(
      expect.objectContaining({ code: 'invalid_target', description: expect.stringContaining('fapi2') }),
    )
  })

  it.each(signingAlgorithms)('§5.4.1-1: one without it, whose tokens are signed with %s', signing_alg => {
    expect(refusal(null, { ...es256, signing_alg })).not.toThrow()
    const refused = expect(refusal('fapi2', { ...es256, signing_alg }))
    if (signing_alg === 'RS256') refused.toThrow(/signed with RS256/)
    else refused.not.toThrow()
  })
})
