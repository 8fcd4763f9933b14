import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { authorizationResponse } from './authorization-response.js'
import { accessDenied } from './errors.js'

describe('authorizationResponse', () => {
  test.each([
    [
      'a code (RFC 6749 §4.1.2)',
      'https://client.example.com/cb',
      { code: 'SplxlOBeZQQYbYS6WxSbIA', state: 'xyz' },
      'https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz',
    ],
    [
      'an error (RFC 6749 §4.1.2.1)',
      'https://client.example.com/cb',
      { error: 'access_denied', state: 'xyz' },
      'https://client.example.com/cb?error=access_denied&state=xyz',
    ],
    [
      'the issuer (RFC 9207 §2)',
      'https://client.example/cb',
      {
        code: 'x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58',
        state: 'ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI',
        iss: 'https://honest.as.example',
      },
      'https://client.example/cb?code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example',
    ],
    [
      'an existing query, retained as it is (RFC 6749 §3.1.2)',
      'https://client.example.com/cb?b=%7e&a',
      { code: '1' },
      'https://client.example.com/cb?b=%7e&a&code=1',
    ],
    [
      'an empty query',
      'https://client.example.com/cb?',
      { code: '1' },
      'https://client.example.com/cb?code=1',
    ],
    [
      'an open query',
      'https://client.example.com/cb?a&',
      { code: '1' },
      'https://client.example.com/cb?a&code=1',
    ],
    [
      'a private-use scheme (RFC 8252 §7.1)',
      'com.example.app:/cb',
      { code: '1' },
      'com.example.app:/cb?code=1',
    ],
    [
      'no undefined parameter',
      'https://client.example.com',
      { code: '1', state: undefined },
      'https://client.example.com?code=1',
    ],
  ])('carries %s', (_, redirectUri, parameters, expected) => {
    expect(authorizationResponse(redirectUri, parameters)).toBe(expected)
  })

  test('carries an OAuthError (RFC 6749 §4.1.2.1)', () => {
    expect(authorizationResponse('https://c.example/cb', { ...accessDenied('No & never.').toJSON() })).toBe(
      'https://c.example/cb?error=access_denied&error_description=No+%26+never.',
    )
  })

  test('no value reaches outside its parameter (RFC 6749 Appendix B)', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), fc.string({ unit: 'grapheme' }), (uri, state) => {
        const response = new URL(authorizationResponse(uri, { code: '1', 'grantlog-state': state }))
        expect(response.origin).toBe(new URL(uri).origin)
        expect(response.hash).toBe('')
        expect(response.searchParams.get('grantlog-state')).toBe(state)
      }),
    )
  })
})
