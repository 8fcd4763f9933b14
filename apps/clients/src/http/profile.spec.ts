import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { newApi, readApi, shownApi } from './api-body.js'
import { clientBody, readRegistration, shownClient } from './client-body.js'

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const client = {
  client_name: 'Treasury',
  redirect_uris: ['https://treasury.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [jwk] },
  dpop_bound_access_tokens: true,
  scope: 'invoices:read',
  profile: 'fapi2',
}
const registered = (change: object = {}) =>
  readRegistration('treasury', clientBody.parse({ ...client, ...change }))

describe('a client with the profile fapi2', () => {
  it('FAPI 2.0 §5.3.2.2-3: pushes its requests, without saying so', () => {
    expect(registered()).toMatchObject({ profile: 'fapi2', requirePushedRequests: true })
    const without = registered({ profile: undefined })
    expect(without).toMatchObject({ requirePushedRequests: false })
    expect(without).not.toHaveProperty('profile')
  })

  it('is shown as it was registered', () => {
    const {
      suspended: _,
      client_id: __,
      ...shown
    } = shownClient({
      registration: registered(),
      suspended: null,
    })
    expect(shown).toMatchObject({ profile: 'fapi2', require_pushed_authorization_requests: true })
    expect(readRegistration('treasury', clientBody.parse(shown))).toEqual(registered())
  })

  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const p192 = { kty: 'EC', crv: 'P-192', x: 'B5Jr', y: 'C9kR' }
  it.each<[string, object, string]>([
    [
      '§5.3.2.1-6: authenticates by a secret',
      { token_endpoint_auth_method: 'client_secret_basic' },
      '/token_endpoint_auth_method: the profile fapi2 needs',
    ],
    [
      '§5.3.2.1-4: does not bind its tokens',
      { dpop_bound_access_tokens: false },
      '/dpop_bound_access_tokens: the profile fapi2 needs',
    ],
    [
      '§5.3.2.2-8: has a plain redirect URI',
      { redirect_uris: ['http://localhost/callback'] },
      '/redirect_uris/0: the profile fapi2 needs https',
    ],
    [
      '§5.4.1-1: has a key for RS256',
      { jwks: { keys: [{ ...jwk, alg: 'RS256' }] } },
      '/jwks/keys/0/alg: the profile fapi2 allows only',
    ],
    ['§5.4.1-2: has a short RSA key', { jwks: { keys: [rsa] } }, '/jwks/keys/0: must be a public key'],
    ['§5.4.1-3: has a short elliptic key', { jwks: { keys: [p192] } }, '/jwks/keys/0: must be a public key'],
  ])('FAPI 2.0 %s is refused', (_, change, says) => {
    expect(() => registered(change)).toThrow(says)
  })
})

describe('an API with the profile fapi2', () => {
  const body = {
    api_id: 'treasury',
    audience: 'https://api.example/treasury',
    name: 'Treasury',
    scopes: [{ name: 'treasury:read', text: 'See your balance', access: 'read' }],
    profile: 'fapi2',
  }
  const read = (access_token_alg: string) => readApi('treasury', newApi.parse({ ...body, access_token_alg }))

  it.each(['ES256', 'EdDSA', 'PS256'])('FAPI 2.0 §5.4.1-1: has its tokens signed with %s', alg => {
    expect(read(alg)).toMatchObject({ profile: 'fapi2', accessTokenAlgorithm: alg })
    expect(shownApi({ registration: read(alg), suspended: null })).toMatchObject({ profile: 'fapi2' })
  })

  it('FAPI 2.0 §5.4.1-1: does not have them signed with RS256', () => {
    expect(() => read('RS256')).toThrow('/access_token_alg: the profile fapi2 does not allow RS256')
  })
})
