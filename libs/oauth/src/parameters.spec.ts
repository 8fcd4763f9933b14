import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from './errors.js'
import { parseParameters } from './parameters.js'

const refused = (description: string) => expect.objectContaining({ code: 'invalid_request', description })

describe('parseParameters', () => {
  test('reads the authorization request of RFC 6749 §4.1.1', () => {
    const parameters = parseParameters(
      'response_type=code&client_id=s6BhdRkqt3&state=xyz&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb',
    )
    expect(parameters.names()).toEqual(['response_type', 'client_id', 'state', 'redirect_uri'])
    expect(parameters.get('redirect_uri')).toBe('https://client.example.com/cb')
    expect(parameters.require('state')).toBe('xyz')
    expect(parameters.get('scope')).toBeUndefined()
    expect(parameters.all('scope')).toEqual([])
  })

  test.each([
    ['the example of RFC 6749 Appendix B', 'p=+%25%26%2B%C2%A3%E2%82%AC', ' %&+£€'],
    ['an equals sign in the value', 'p=a=b', 'a=b'],
    ['empty pairs', '&&p=1&', '1'],
    ['an encoded name', '%70=1', '1'],
    ['a name that objects have', 'p=1&__proto__=2&constructor=3', '1'],
  ])('reads %s', (_, encoded, value) => {
    expect(parseParameters(encoded).get('p')).toBe(value)
  })

  test.each(['', 'p', 'p=', '&p=&'])(
    'treats a parameter without a value as omitted (RFC 6749 §3.1): %p',
    encoded => {
      const parameters = parseParameters(encoded)
      expect(parameters.names()).toEqual([])
      expect(() => parameters.require('p')).toThrow(refused("Parameter 'p' is missing."))
    },
  )

  test.each([
    ['state=a&state=b', "Parameter 'state' is included more than once."],
    ['state=a&state=a', "Parameter 'state' is included more than once."],
    ['unknown=a&%75nknown=b', "Parameter 'unknown' is included more than once."],
    ['subject_token=a&subject_token=b', "Parameter 'subject_token' is included more than once."],
  ])('refuses a repeated parameter (RFC 6749 §3.1, §3.2): %s', (encoded, description) => {
    expect(() => parseParameters(encoded)).toThrow(refused(description))
  })

  test.each([
    ['resource', 'RFC 8707 §2'],
    ['audience', 'RFC 8693 §2.1'],
  ])('lets %s repeat, and whoever expects one is told (%s)', name => {
    const parameters = parseParameters(
      `${name}=https%3A%2F%2Fcal.example.com%2F&${name}=https%3A%2F%2Fcontacts.example.com%2F`,
    )
    expect(parameters.all(name)).toEqual(['https://cal.example.com/', 'https://contacts.example.com/'])
    expect(() => parameters.get(name)).toThrow(refused(`Parameter '${name}' is included more than once.`))
  })

  test.each([
    ['a percent sign alone', 'p=%', "Parameter 'p' is not percent-encoded UTF-8."],
    ['a percent sign before no hex digit', 'p=%zz', "Parameter 'p' is not percent-encoded UTF-8."],
    ['a byte that is not UTF-8', 'p=%FF', "Parameter 'p' is not percent-encoded UTF-8."],
    ['an overlong encoding', 'p=%C0%AF', "Parameter 'p' is not percent-encoded UTF-8."],
    ['a surrogate', 'p=%ED%A0%80', "Parameter 'p' is not percent-encoded UTF-8."],
    ['a malformed name', '%=1', "A parameter's name is not percent-encoded UTF-8."],
    ['no name', '=1', 'A parameter has no name.'],
    ['raw UTF-8', 'p=£', 'The parameters are not form-urlencoded.'],
    ['a raw line feed', 'p=a\n', 'The parameters are not form-urlencoded.'],
    ['NUL', 'p=%00', "Parameter 'p' contains a control character."],
    ['a line feed', 'p=a%0Ab', "Parameter 'p' contains a control character."],
    ['DEL', 'p=%7F', "Parameter 'p' contains a control character."],
    ['a C1 control character', 'p=%C2%85', "Parameter 'p' contains a control character."],
    ['a control character in the name', 'p%0D=1', "A parameter's name contains a control character."],
    ['a name out of bounds', `${'n'.repeat(129)}=1`, "A parameter's name is longer than 128 characters."],
    ['a value out of bounds', `p=${'v'.repeat(4097)}`, "Parameter 'p' is longer than 4096 characters."],
    ['a text out of bounds', `p=${'v'.repeat(32 * 1024)}`, 'The parameters are longer than 32 kB.'],
    ['too many parameters', 'p=&'.repeat(65), 'There are more than 64 parameters.'],
  ])('refuses %s (RFC 6749 Appendix B)', (_, encoded, description) => {
    expect(() => parseParameters(encoded)).toThrow(refused(description))
  })

  test('accepts what is just within the bounds', () => {
    const many = Array.from({ length: 64 }, (_, index) => `p${index}=${'v'.repeat(400)}`).join('&')
    expect(parseParameters(many).names()).toHaveLength(64)
    expect(parseParameters(`p=${'v'.repeat(4096)}`).get('p')).toHaveLength(4096)
    expect(parseParameters(`${'n'.repeat(128)}=1`).names()).toHaveLength(1)
    expect(parseParameters(`code=${'v'.repeat(8192)}`, { maxValueLength: 8192 }).get('code')).toHaveLength(
      8192,
    )
    expect(() => parseParameters('p=12345', { maxValueLength: 4 })).toThrow(
      refused("Parameter 'p' is longer than 4 characters."),
    )
  })

  test('reads back what any encoder writes', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(s => !/\p{Cc}/u.test(s))
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 20 }), values => {
        const parameters = parseParameters(String(new URLSearchParams(values)))
        expect(Object.fromEntries(parameters.names().map(name => [name, parameters.get(name)]))).toEqual({
          ...values,
        })
      }),
    )
  })

  test('throws nothing but OAuthError', () => {
    const encoded = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('%', '=', '&', '+', 'a', '0', 'F', 'C', '\n'), maxLength: 60 }),
    )
    fc.assert(
      fc.property(encoded, text => {
        try {
          parseParameters(text)
        } catch (error) {
          if (!(error instanceof OAuthError)) throw error
          expect(error.code).toBe('invalid_request')
        }
      }),
    )
  })
})
