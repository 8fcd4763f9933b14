import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readAccessTokenHeader } from './bearer.js'
import { bearerChallenge } from './bearer-challenge.js'
import { OAuthError } from './errors.js'

describe('readAccessTokenHeader', () => {
  test.each([
    ['the example of RFC 6750 §2.1', 'Bearer mF_9.B5f-4.1JqM', 'mF_9.B5f-4.1JqM'],
    ['the scheme in any case (RFC 9110 §11.1)', 'bEARER abc', 'abc'],
    ['1*SP before the token (RFC 6750 §2.1)', 'Bearer   abc', 'abc'],
    ['every character of b64token (RFC 6750 §2.1)', 'Bearer aZ09-._~+/==', 'aZ09-._~+/=='],
    ['no header', undefined, undefined],
    ['an empty header', '', undefined],
    ['another scheme', 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW', undefined],
    ['a longer scheme', 'BearerX abc', undefined],
    [
      'a token with a proof beside it (RFC 9449 §7.1)',
      'DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp',
      'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp',
    ],
    ['that scheme in any case', 'dpop abc', 'abc'],
  ])('reads %s', (_, authorization, token) => {
    const scheme = /^dpop/i.test(authorization ?? '') ? 'DPoP' : 'Bearer'
    expect(readAccessTokenHeader(authorization)).toEqual(token === undefined ? undefined : { scheme, token })
  })

  test.each([
    ['no token', 'Bearer'],
    ['only spaces', 'Bearer  '],
    ['no token with a proof beside it', 'DPoP'],
    ['two tokens', 'Bearer a b'],
    ['a tab', 'Bearer\tabc'.replace('\t', ' \t')],
    ['padding inside', 'Bearer a=b'],
    ['padding alone', 'Bearer =='],
    ['a character outside b64token', 'Bearer a,b'],
    ['a trailing line feed', 'Bearer abc\n'],
  ])('refuses %s with a challenge (RFC 6750 §2.1, §3)', (_, authorization) => {
    const read = () => readAccessTokenHeader(authorization)
    expect(read).toThrow(expect.objectContaining({ code: 'invalid_request', status: 400 }))
    expect(read).toThrow(
      expect.objectContaining({
        headers: expect.objectContaining({
          'WWW-Authenticate': expect.stringMatching(/^(Bearer|DPoP) error="invalid_request", /),
        }),
      }),
    )
  })

  test('throws nothing but OAuthError', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Bearer', 'Bearer ', 'bearer a', ''),
        fc.string({ unit: 'binary' }),
        (a, b) => {
          try {
            expect(readAccessTokenHeader(a + b)?.token ?? '').not.toMatch(/\s/)
          } catch (error) {
            if (!(error instanceof OAuthError)) throw error
          }
        },
      ),
    )
  })
})

describe('bearerChallenge', () => {
  test.each([
    ['RFC 6750 §3, no credentials', { realm: 'example' }, 'Bearer realm="example"'],
    [
      'RFC 6750 §3, expired token',
      { realm: 'example', error: 'invalid_token', errorDescription: 'The access token expired' },
      'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    ],
    [
      'RFC 9728 §5.1',
      { resourceMetadata: 'https://resource.example.com/.well-known/oauth-protected-resource' },
      'Bearer resource_metadata="https://resource.example.com/.well-known/oauth-protected-resource"',
    ],
    ['nothing to say', {}, 'Bearer'],
    ['undefined attributes', { realm: undefined, scope: 'a b' }, 'Bearer scope="a b"'],
  ] as const)('%s', (_, challenge, expected) => {
    expect(bearerChallenge(challenge)).toBe(expected)
  })

  test('RFC 9449 §7.1', () => {
    expect(bearerChallenge({ error: 'use_dpop_nonce', algs: 'ES256 PS256' }, 'DPoP')).toBe(
      'DPoP error="use_dpop_nonce", algs="ES256 PS256"',
    )
  })

  test('no text ends the quoted string or the header (RFC 9110 §5.6.4)', () => {
    expect(bearerChallenge({ realm: 'a"b\\c\r\nSet-Cookie: é' })).toBe(
      'Bearer realm="a\\"b\\\\c??Set-Cookie: ?"',
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), realm => {
        expect(bearerChallenge({ realm })).toMatch(
          /^Bearer realm="(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/,
        )
      }),
    )
  })
})
