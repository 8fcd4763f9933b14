import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from './errors.js'
import { assertRedirectUri, matchRedirectUri } from './redirect-uri.js'

const PUBLIC = { confidential: false }
const CONFIDENTIAL = { confidential: true }

describe('assertRedirectUri', () => {
  test.each([
    ['https (RFC 6749 §3.1.2.1)', 'https://client.example.com/cb'],
    ['a query (RFC 6749 §3.1.2)', 'https://client.example.com/cb?tenant=7'],
    ['a host alone', 'https://client.example.com'],
    ['the loopback IPv4 address (RFC 8252 §7.3)', 'http://127.0.0.1:51004/oauth2redirect/example-provider'],
    ['the loopback IPv6 address (RFC 8252 §7.3)', 'http://[::1]:61023/oauth2redirect/example-provider'],
    ['localhost (RFC 8252 §8.3)', 'http://localhost:3000/cb'],
    ['a loopback address alone', 'http://127.0.0.1'],
    ['an at sign in the path', 'https://client.example.com/@me'],
  ])('accepts %s from every client', (_, uri) => {
    expect(() => assertRedirectUri(uri, PUBLIC)).not.toThrow()
    expect(() => assertRedirectUri(uri, CONFIDENTIAL)).not.toThrow()
  })

  test.each(['com.example.app:/oauth2redirect/example-provider', 'com.example.app://callback'])(
    'accepts a private-use scheme only from public clients (RFC 8252 §7.1, §8.4): %s',
    uri => {
      expect(() => assertRedirectUri(uri, PUBLIC)).not.toThrow()
      expect(() => assertRedirectUri(uri, CONFIDENTIAL)).toThrow(
        expect.objectContaining({
          code: 'invalid_redirect_uri',
          description: expect.stringContaining('confidential'),
        }),
      )
    },
  )

  test.each([
    ['a fragment (RFC 6749 §3.1.2)', 'https://client.example.com/cb#x', 'fragment'],
    ['an empty fragment (RFC 6749 §3.1.2)', 'https://client.example.com/cb#', 'fragment'],
    ['a path alone (RFC 6749 §3.1.2)', '/cb', 'absolute'],
    ['no scheme (RFC 6749 §3.1.2)', 'client.example.com/cb', 'absolute'],
    ['an empty text (RFC 6749 §3.1.2)', '', 'absolute'],
    ['a space (RFC 3986 §2)', 'https://client.example.com/a b', 'absolute'],
    ['a backslash (RFC 3986 §2)', 'https://client.example.com\\@evil.example/', 'absolute'],
    ['a line feed (RFC 3986 §2)', 'https://client.example.com/\n', 'absolute'],
    ['a percent sign alone (RFC 3986 §2.1)', 'https://client.example.com/%', 'absolute'],
    ['an impossible port (RFC 3986 §3.2.3)', 'https://client.example.com:99999/', 'absolute'],
    ['https without a host (RFC 9110 §4.2.2)', 'https:/client.example.com/cb', 'private-use|https'],
    ['https with an empty host (RFC 9110 §4.2.2)', 'https:///client.example.com/cb', 'https'],
    ['user information (RFC 9110 §4.2.4)', 'https://user:pw@client.example.com/cb', 'user name'],
    ['empty user information (RFC 9110 §4.2.4)', 'https://@client.example.com/cb', 'user name'],
    [
      'a loopback that is user information (RFC 9110 §4.2.4)',
      'http://127.0.0.1:1@evil.example/',
      'user name',
    ],
    ['a wildcard in the host (RFC 9700 §2.1)', 'https://*.example.com/cb', 'wildcard'],
    ['a wildcard in the path (RFC 9700 §2.1)', 'https://client.example.com/*', 'wildcard'],
    ['a host that would end a policy', 'https://a;b.example/cb', 'host of letters'],
    ['plain http (RFC 9700 §2.6)', 'http://client.example.com/cb', 'must use https'],
    ['a host that begins like loopback (RFC 8252 §7.3)', 'http://127.0.0.1.evil.example/', 'must use https'],
    ['a host that begins like localhost (RFC 8252 §8.3)', 'http://localhost.evil.example/', 'must use https'],
    ['the unspecified address (RFC 8252 §7.3)', 'http://0.0.0.0:3000/', 'must use https'],
    ['loopback in another notation (RFC 8252 §7.3)', 'http://2130706433/', 'must use https'],
    ['javascript: (RFC 8252 §8.4)', 'javascript:alert(1)', 'private-use scheme'],
    ['data: (RFC 8252 §8.4)', 'data:text/html,x', 'private-use scheme'],
    ['file: (RFC 8252 §8.4)', 'file:///etc/passwd', 'private-use scheme'],
    ['a scheme without a dot (RFC 8252 §8.4)', 'myapp:/callback', 'private-use scheme'],
    ['a scheme that ends in a dot (RFC 8252 §7.1)', 'com.:/callback', 'private-use scheme'],
    ['a private-use scheme without a path (RFC 8252 §7.1)', 'com.example.app:callback', 'private-use scheme'],
    ['a response parameter (RFC 6749 §3.1)', 'https://client.example.com/cb?code=1', "'code'"],
    ['iss in its query (RFC 9207 §2)', 'https://client.example.com/cb?a=1&iss=x', "'iss'"],
    ['more than 1024 characters', `https://client.example.com/${'a'.repeat(1000)}`, '1024'],
  ])('refuses %s', (_, uri, reason) => {
    expect(() => assertRedirectUri(uri, PUBLIC)).toThrow(
      expect.objectContaining({
        code: 'invalid_redirect_uri',
        description: expect.stringMatching(new RegExp(reason)),
      }),
    )
  })

  test('throws nothing but OAuthError', () => {
    const start = fc.constantFrom('', 'https:', 'https://', 'http://127.0.0.1', 'com.example:/', 'https://[')
    fc.assert(
      fc.property(start, fc.string({ unit: 'binary-ascii' }), (a, b) => {
        try {
          assertRedirectUri(a + b, PUBLIC)
        } catch (error) {
          if (!(error instanceof OAuthError)) throw error
        }
      }),
    )
  })
})

describe('matchRedirectUri', () => {
  const registered = [
    'https://client.example.com/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:4000/cb?x=1',
    'http://localhost:3000/cb',
  ]

  test.each([
    ['the exact string (RFC 9700 §2.1)', 'https://client.example.com/cb', true],
    ['another path (RFC 9700 §2.1)', 'https://client.example.com/cb/', false],
    ['an added query (RFC 9700 §2.1)', 'https://client.example.com/cb?x=1', false],
    ['another case (RFC 9700 §2.1)', 'https://CLIENT.example.com/cb', false],
    ['the default port (RFC 9700 §2.1)', 'https://client.example.com:443/cb', false],
    ['an equivalent encoding (RFC 9700 §2.1)', 'https://client.example.com/%63b', false],
    ['any port on 127.0.0.1 (RFC 8252 §7.3)', 'http://127.0.0.1:51004/cb', true],
    ['any port on [::1] (RFC 8252 §7.3)', 'http://[::1]:61023/cb?x=1', true],
    ['no port where one is registered (RFC 8252 §7.3)', 'http://[::1]/cb?x=1', true],
    ['another path on loopback (RFC 8252 §7.3)', 'http://127.0.0.1:51004/other', false],
    ['another query on loopback (RFC 8252 §7.3)', 'http://[::1]:61023/cb?x=2', false],
    ['another loopback address (RFC 8252 §7.3)', 'http://127.0.0.2:51004/cb', false],
    ['https on loopback (RFC 8252 §7.3)', 'https://127.0.0.1:51004/cb', false],
    ['another port on localhost (RFC 8252 §8.3)', 'http://localhost:3001/cb', false],
    ['an impossible port (RFC 3986 §3.2.3)', 'http://127.0.0.1:65536/cb', false],
    ['a port that is user information (RFC 8252 §7.3)', 'http://127.0.0.1:1@evil.example/cb', false],
    ['a host that begins like loopback (RFC 8252 §7.3)', 'http://127.0.0.1.evil.example/cb', false],
    ['a trailing line feed (RFC 9700 §2.1)', 'http://127.0.0.1:51004/cb\n', false],
    ['an empty text', '', false],
  ])('%s: %s → %p', (_, requested, matches) => {
    expect(matchRedirectUri(registered, requested)).toBe(matches)
  })

  test('nothing matches where nothing is registered (RFC 6749 §3.1.2.3)', () => {
    expect(matchRedirectUri([], 'https://client.example.com/cb')).toBe(false)
  })

  test('what is not on loopback matches only itself (RFC 9700 §2.1)', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.webUrl(), (one, other) => {
        expect(matchRedirectUri([one], one)).toBe(true)
        expect(matchRedirectUri([one], other)).toBe(one === other)
      }),
    )
  })
})
