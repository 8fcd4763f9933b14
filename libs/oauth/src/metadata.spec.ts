import { describe, expect, test } from '@jest/globals'
import {
  assertIssuer,
  authorizationServerMetadata,
  protectedResourceMetadata,
  wellKnownPath,
} from './metadata.js'

const server = {
  issuer: 'https://server.example.com',
  authorization_endpoint: 'https://server.example.com/authorize',
  token_endpoint: 'https://server.example.com/token',
}

describe('authorizationServerMetadata', () => {
  test('says what is always so, beside what it is told (RFC 8414 §2, RFC 7636 §4.4.1, RFC 9207 §3)', () => {
    expect(authorizationServerMetadata({ ...server, scopes_supported: ['invoices:read'] })).toEqual({
      ...server,
      scopes_supported: ['invoices:read'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  test('omits what is undefined or has no elements (RFC 8414 §3.2)', () => {
    const metadata = authorizationServerMetadata({
      ...server,
      scopes_supported: [],
      response_types_supported: [],
      jwks_uri: undefined,
    })
    expect(metadata).not.toHaveProperty('scopes_supported')
    expect(metadata).not.toHaveProperty('jwks_uri')
    expect(metadata.response_types_supported).toEqual(['code'])
  })

  test('is told otherwise', () => {
    expect(
      authorizationServerMetadata({ ...server, response_types_supported: ['code', 'none'] }),
    ).toHaveProperty('response_types_supported', ['code', 'none'])
  })

  test('requires the authorization endpoint where a grant type uses it (RFC 8414 §2)', () => {
    const { authorization_endpoint: _, ...alone } = server
    expect(() => authorizationServerMetadata(alone)).toThrow('authorization_endpoint is required')
    expect(() =>
      authorizationServerMetadata({ ...alone, grant_types_supported: ['authorization_code'] }),
    ).toThrow('authorization_endpoint is required')
    expect(
      authorizationServerMetadata({ ...alone, grant_types_supported: ['client_credentials'] }),
    ).not.toHaveProperty('authorization_endpoint')
  })

  test.each([
    ['issuer', { issuer: 'https://server.example.com?x' }, 'issuer'],
    ['jwks_uri over http (RFC 8414 §2)', { jwks_uri: 'http://server.example.com/jwks' }, 'jwks_uri'],
    [
      'token_endpoint with a fragment (RFC 6749 §3.2)',
      { token_endpoint: 'https://a.example/t#' },
      'token_endpoint',
    ],
    [
      'authorization_endpoint with a fragment (RFC 6749 §3.1)',
      { authorization_endpoint: 'https://a.example/#a' },
      'authorization_endpoint',
    ],
    ['a relative endpoint (RFC 8414 §2)', { revocation_endpoint: '/revoke' }, 'revocation_endpoint'],
  ])('refuses %s', (_, change, name) => {
    expect(() => authorizationServerMetadata({ ...server, ...change })).toThrow(name)
  })
})

describe('protectedResourceMetadata', () => {
  const resource = 'https://resource.example.com'

  test('has what it is told and the way to send a token (RFC 9728 §2)', () => {
    expect(
      protectedResourceMetadata({
        resource,
        authorization_servers: ['https://as1.example.com', 'https://as2.example.net'],
        jwks_uri: 'https://resource.example.com/jwks',
        scopes_supported: [],
      }),
    ).toEqual({
      resource,
      authorization_servers: ['https://as1.example.com', 'https://as2.example.net'],
      jwks_uri: 'https://resource.example.com/jwks',
      bearer_methods_supported: ['header'],
    })
  })

  test.each([
    [
      'a resource over http (RFC 9728 §1.2)',
      { resource: 'http://resource.example.com' },
      'resource must use https',
    ],
    [
      'a resource with a fragment (RFC 9728 §1.2)',
      { resource: `${resource}#a` },
      'resource must not have a fragment',
    ],
    ['an issuer with a query (RFC 8414 §2)', { authorization_servers: ['https://a.example?b'] }, 'issuer'],
    [
      'a JWK Set over http (RFC 9728 §2)',
      { jwks_uri: 'http://resource.example.com/jwks' },
      'jwks_uri must use https',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => protectedResourceMetadata({ resource, ...change })).toThrow(message)
  })
})

test.each([
  ['https://example.com', 'oauth-authorization-server', '/.well-known/oauth-authorization-server'],
  ['https://example.com/', 'oauth-authorization-server', '/.well-known/oauth-authorization-server'],
  [
    'https://example.com/issuer1',
    'oauth-authorization-server',
    '/.well-known/oauth-authorization-server/issuer1',
  ],
  ['https://example.com/a/b/', 'openid-configuration', '/.well-known/openid-configuration/a/b'],
  [
    'https://resource.example.com/resource1',
    'oauth-protected-resource',
    '/.well-known/oauth-protected-resource/resource1',
  ],
  [
    'https://resource.example.com/?t=1',
    'oauth-protected-resource',
    '/.well-known/oauth-protected-resource?t=1',
  ],
])('wellKnownPath of %s (RFC 8414 §3.1, RFC 9728 §3.1)', (identifier, suffix, path) => {
  expect(wellKnownPath(identifier, suffix)).toBe(path)
})

describe('assertIssuer', () => {
  test.each([
    'https://server.example.com',
    'https://server.example.com:8443/tenant/',
    'http://localhost:20001',
    'http://127.0.0.1:20001',
    'http://[::1]:20001',
  ])('accepts %s (RFC 8414 §2)', issuer => {
    expect(() => assertIssuer(issuer)).not.toThrow()
  })

  test.each([
    ['http://server.example.com', 'must use https'],
    ['https://server.example.com?', 'query'],
    ['https://server.example.com?a=b', 'query'],
    ['https://server.example.com#', 'fragment'],
    ['https://server.example.com/#a', 'fragment'],
    ['https://user@server.example.com', 'user name'],
    ['https://:pw@server.example.com', 'user name'],
    ['server.example.com', 'absolute'],
    ['ftp://server.example.com', 'absolute'],
    ['https:server.example.com', 'absolute'],
    ['', 'absolute'],
  ])('refuses %p (RFC 8414 §2)', (issuer, reason) => {
    expect(() => assertIssuer(issuer)).toThrow(reason)
  })
})
