import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from './errors.js'
import { assertResourceIndicator } from './resource-indicator.js'

describe('assertResourceIndicator', () => {
  test.each([
    'https://cal.example.com/',
    'https://contacts.example.com/app/',
    'https://api.example.com/?tenant=7',
    'urn:example:invoices',
  ])('accepts an absolute URI (RFC 8707 §2): %s', resource => {
    expect(() => assertResourceIndicator(resource)).not.toThrow()
  })

  test.each([
    ['a fragment', 'https://api.example.com/#a', 'fragment'],
    ['an empty fragment', 'https://api.example.com/#', 'fragment'],
    ['a relative reference', '/api', 'absolute'],
    ['a name', 'invoices', 'absolute'],
    ['a scheme alone', 'https:', 'absolute'],
    ['a space', 'https://api.example.com/a b', 'absolute'],
    ['a character outside ASCII', 'https://api.example.com/é', 'absolute'],
    ['an empty text', '', 'absolute'],
  ])('refuses %s (RFC 8707 §2)', (_, resource, reason) => {
    expect(() => assertResourceIndicator(resource)).toThrow(
      expect.objectContaining({ code: 'invalid_target', description: expect.stringContaining(reason) }),
    )
  })

  test('throws nothing but OAuthError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), resource => {
        try {
          assertResourceIndicator(resource)
        } catch (error) {
          if (!(error instanceof OAuthError)) throw error
        }
      }),
    )
  })
})
