import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from './errors.js'
import { formatScope, isSubset, missingFrom, parseScope, quoteScope } from './scope.js'

const token = fc.string({
  unit: fc
    .integer({ min: 0x21, max: 0x7e })
    .map(c => String.fromCharCode(c))
    .filter(c => c !== '"' && c !== '\\'),
  minLength: 1,
})

describe('parseScope', () => {
  test.each([
    ['one', 'read', ['read']],
    ['several in their order', 'write read', ['write', 'read']],
    ['none', '', []],
    ['a repeated one once', 'a b a', ['a', 'b']],
    ['the bounds of the grammar', '! # [ ] ~', ['!', '#', '[', ']', '~']],
    ['case-sensitively', 'Read read', ['Read', 'read']],
  ])('reads %s (RFC 6749 §3.3)', (_, scope, tokens) => {
    expect(parseScope(scope)).toEqual(tokens)
  })

  test.each(['a  b', ' a', 'a ', ' ', 'a\tb', 'a"b', 'a\\b', 'é', 'a\x7f', 'a\n'])(
    'refuses what breaks the grammar (RFC 6749 §3.3): %p',
    scope => {
      expect(() => parseScope(scope)).toThrow(expect.objectContaining({ code: 'invalid_scope' }))
    },
  )

  test('reads back what formatScope writes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(token), tokens => {
        expect(parseScope(formatScope(tokens))).toEqual(tokens)
      }),
    )
  })

  test('throws nothing but OAuthError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), scope => {
        try {
          expect(new Set(parseScope(scope))).toEqual(new Set(scope === '' ? [] : scope.split(' ')))
        } catch (error) {
          if (!(error instanceof OAuthError)) throw error
        }
      }),
    )
  })
})

test('formatScope writes each token once', () => {
  expect(formatScope(['a', 'b', 'a'])).toBe('a b')
  expect(formatScope([])).toBe('')
})

test.each([
  [['a'], ['a', 'b'], true, []],
  [['a', 'b'], ['b', 'a'], true, []],
  [[], [], true, []],
  [[], ['a'], true, []],
  [['a'], [], false, ['a']],
  [['c', 'a', 'b'], ['a'], false, ['c', 'b']],
  [['A'], ['a'], false, ['A']],
])('%j of %j: subset %p, missing %j (RFC 6749 §3.3, §6)', (scopes, allowed, subset, missing) => {
  expect(isSubset(scopes, allowed)).toBe(subset)
  expect(missingFrom(allowed, scopes)).toEqual(missing)
})

test('quoteScope names a scope, and nothing that may be a secret', () => {
  expect(quoteScope('invoices:read')).toBe("'invoices:read'")
  expect(quoteScope('x'.repeat(43))).toBe('of 43 characters')
})
