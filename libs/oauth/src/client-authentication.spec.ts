import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readClientCredentials } from './client-authentication.js'
import { OAuthError } from './errors.js'
import { parseParameters } from './parameters.js'

const read = (authorization: string | undefined, body = '') =>
  readClientCredentials({ authorization, parameters: parseParameters(body) })
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`

// RFC 6749 §2.3.1
const BASIC = 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW'

describe('readClientCredentials', () => {
  test.each([
    ['Basic, the example of RFC 6749 §2.3.1', BASIC, '', 'client_secret_basic', 's6BhdRkqt3', 'gX1fBat3bV'],
    [
      'Basic beside the same client_id',
      BASIC,
      'client_id=s6BhdRkqt3',
      'client_secret_basic',
      's6BhdRkqt3',
      'gX1fBat3bV',
    ],
    [
      'the body, the example of RFC 6749 §2.3.1',
      undefined,
      'grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw',
      'client_secret_post',
      's6BhdRkqt3',
      '7Fjfp0ZBr1KtDRbnfVdmIw',
    ],
    ['a public client (RFC 6749 §3.2.1)', undefined, 'client_id=s6BhdRkqt3', 'none', 's6BhdRkqt3', undefined],
    [
      'an empty secret in the body as none (RFC 6749 §3.2)',
      undefined,
      'client_id=a&client_secret=',
      'none',
      'a',
      undefined,
    ],
    [
      'both parts form-urlencoded (RFC 6749 §2.3.1)',
      basic('a%3Ab+c:p%25%2B%3A'),
      '',
      'client_secret_basic',
      'a:b c',
      'p%+:',
    ],
    ['a colon in the secret (RFC 7617 §2)', basic('a:b:c'), '', 'client_secret_basic', 'a', 'b:c'],
    ['an empty secret (RFC 6749 Appendix A.2)', basic('a:'), '', 'client_secret_basic', 'a', ''],
    [
      'the scheme in any case (RFC 9110 §11.1)',
      BASIC.replace('Basic', 'bASIC '),
      '',
      'client_secret_basic',
      's6BhdRkqt3',
      'gX1fBat3bV',
    ],
  ])('reads %s', (_, authorization, body, method, clientId, secret) => {
    expect(read(authorization, body)).toEqual({ method, clientId, secret })
  })

  test.each([
    ['Basic and a secret in the body', BASIC, 'client_secret=x'],
    ['Basic and the same secret in the body', BASIC, 'client_id=s6BhdRkqt3&client_secret=gX1fBat3bV'],
    ['Basic and an assertion', BASIC, 'client_assertion=x'],
    ['a secret and an assertion', undefined, 'client_id=a&client_secret=x&client_assertion=y'],
  ])('refuses %s: one method only (RFC 6749 §2.3)', (_, authorization, body) => {
    expect(() => read(authorization, body)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        description: 'The request uses more than one client authentication method.',
      }),
    )
  })

  test.each([
    ['a client_id that differs from Basic (RFC 6749 §2.3.1)', BASIC, 'client_id=other', /differs/],
    ['a secret without client_id (RFC 6749 §2.3.1)', undefined, 'client_secret=x', /'client_id' is missing/],
  ])('refuses %s', (_, authorization, body, description) => {
    expect(() => read(authorization, body)).toThrow(
      expect.objectContaining({ code: 'invalid_request', description: expect.stringMatching(description) }),
    )
  })

  test.each([
    ['no client (RFC 6749 §5.2)', ''],
    ['an assertion, which is not supported (RFC 6749 §5.2)', 'client_id=a&client_assertion=x'],
  ])('refuses %s', (_, body) => {
    expect(() => read(undefined, body)).toThrow(
      expect.objectContaining({ code: 'invalid_client', status: 401 }),
    )
  })

  test.each([
    ['another scheme', 'Bearer abc'],
    ['no credentials', 'Basic'],
    ['an empty header', ''],
    ['base64url', 'Basic YT86Pj8-'],
    ['missing padding', 'Basic YTpiYw'],
    ['base64 that is not canonical', 'Basic YTpiYx=='],
    ['two credentials', `${BASIC} ${BASIC}`],
    ['no colon', basic('abc')],
    ['an empty client id', basic(':secret')],
    ['a malformed percent-encoding of the id', basic('%:secret')],
    ['a malformed percent-encoding of the secret', basic('a:%zz')],
    ['a client id outside VSCHAR', basic('%C3%A9:secret')],
    ['a secret outside VSCHAR', basic('a:%00')],
    ['bytes outside ASCII', basic('a:é')],
  ])('refuses %s with the challenge of RFC 6749 §5.2', (_, authorization) => {
    const attempt = () => read(authorization)
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'invalid_client',
        status: 401,
        headers: expect.objectContaining({ 'WWW-Authenticate': expect.stringMatching(/^Basic realm=/) }),
      }),
    )
  })

  test('reads back what a client encodes (RFC 6749 §2.3.1, Appendix B)', () => {
    const text = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map(c => String.fromCharCode(c)),
      minLength: 1,
    })
    const encode = (value: string) => String(new URLSearchParams({ '': value })).slice(1)
    fc.assert(
      fc.property(text, text, (clientId, secret) => {
        expect(read(basic(`${encode(clientId)}:${encode(secret)}`))).toEqual({
          method: 'client_secret_basic',
          clientId,
          secret,
        })
      }),
    )
  })

  test('throws nothing but OAuthError, and no error holds the secret', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), pair => {
        for (const authorization of [pair, basic(pair)]) {
          try {
            read(authorization)
          } catch (error) {
            if (!(error instanceof OAuthError)) throw error
            expect(error.code).toBe('invalid_client')
          }
        }
      }),
    )
    const attempt = () => read(basic('client:very%secret'))
    expect(attempt).not.toThrow(expect.objectContaining({ detail: expect.stringContaining('very') }))
    expect(attempt).not.toThrow(expect.objectContaining({ description: expect.stringContaining('very') }))
  })
})
