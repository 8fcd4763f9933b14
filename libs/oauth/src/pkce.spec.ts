import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { OAuthError } from './errors.js'
import { assertCodeChallenge, codeChallengeOf, verifyCodeVerifier } from './pkce.js'

// RFC 7636 Appendix B
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const unreserved = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~']
const verifiers = fc.string({ unit: fc.constantFrom(...unreserved), minLength: 43, maxLength: 128 })

test('codeChallengeOf: the example of RFC 7636 Appendix B', () => {
  expect(codeChallengeOf(VERIFIER)).toBe(CHALLENGE)
})

describe('assertCodeChallenge', () => {
  test('accepts S256 (RFC 7636 §4.3)', () => {
    expect(() => assertCodeChallenge(CHALLENGE, 'S256')).not.toThrow()
  })

  test.each([
    ['no challenge (RFC 7636 §4.4.1)', undefined, 'S256'],
    ['neither (RFC 7636 §4.4.1)', undefined, undefined],
    ['plain (RFC 7636 §4.4.1)', CHALLENGE, 'plain'],
    ['no method, which means plain (RFC 7636 §4.3)', CHALLENGE, undefined],
    ['the method in another case (RFC 7636 §4.3)', CHALLENGE, 's256'],
    ['an empty challenge (RFC 7636 §4.2)', '', 'S256'],
    ['a short challenge (RFC 7636 §4.2)', CHALLENGE.slice(1), 'S256'],
    ['a long challenge (RFC 7636 §4.2)', `${CHALLENGE}A`, 'S256'],
    ['padding (RFC 7636 §4.2, Appendix A)', `${CHALLENGE}=`, 'S256'],
    ['base64 instead of base64url (RFC 7636 §4.2)', CHALLENGE.replace('-', '+'), 'S256'],
    ['a last character that no digest has (RFC 4648 §3.5)', `${CHALLENGE.slice(0, -1)}B`, 'S256'],
    ['a trailing line feed (RFC 7636 §4.2)', `${CHALLENGE}\n`, 'S256'],
  ])('refuses %s', (_, challenge, method) => {
    expect(() => assertCodeChallenge(challenge, method)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })
})

describe('verifyCodeVerifier', () => {
  test('accepts the verifier of the challenge (RFC 7636 §4.6, Appendix B)', () => {
    expect(() => verifyCodeVerifier(VERIFIER, CHALLENGE)).not.toThrow()
  })

  test.each([
    ['42 characters', 'a'.repeat(42)],
    ['129 characters', 'a'.repeat(129)],
    ['a character that is not unreserved', `${VERIFIER}+`],
    ['a trailing line feed', `${VERIFIER}\n`],
  ])('refuses %s by its grammar (RFC 7636 §4.1)', (_, verifier) => {
    expect(() => verifyCodeVerifier(verifier, codeChallengeOf(verifier))).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })

  test.each([
    ['another verifier', 'a'.repeat(43), CHALLENGE],
    ['a challenge of another length', VERIFIER, `${CHALLENGE}A`],
    ['an empty challenge', VERIFIER, ''],
    ['the challenge itself, as plain would', CHALLENGE, CHALLENGE],
  ])('refuses %s with invalid_grant (RFC 7636 §4.6)', (_, verifier, challenge) => {
    expect(() => verifyCodeVerifier(verifier, challenge)).toThrow(
      expect.objectContaining({ code: 'invalid_grant' }),
    )
  })

  test('every verifier of the grammar meets its own challenge and no other (RFC 7636 §4.1, §4.6)', () => {
    fc.assert(
      fc.property(verifiers, verifiers, (verifier, other) => {
        const challenge = codeChallengeOf(verifier)
        assertCodeChallenge(challenge, 'S256')
        verifyCodeVerifier(verifier, challenge)
        if (other !== verifier) expect(() => verifyCodeVerifier(other, challenge)).toThrow(OAuthError)
      }),
    )
  })

  test('throws nothing but OAuthError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (verifier, challenge) => {
        expect(() => verifyCodeVerifier(verifier, challenge)).toThrow(OAuthError)
        expect(() => assertCodeChallenge(challenge, 'S256')).toThrow(OAuthError)
      }),
    )
  })
})
