import { describe, expect, it } from '@jest/globals'
import { foreignSubject, isForeignSubject, readAuthorizationAssertion } from './jwt-bearer.js'

const issuer = 'https://auth.example'
const now = 1_800_000_000
const right = { iss: 'https://idp.example', sub: 'ada', aud: issuer, exp: now + 60, jti: '1' }
type Change = Readonly<Record<string, unknown>>

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
const jwt = (change: Change = {}, header: Change = {}) =>
  `${encode({ alg: 'ES256', kid: 'k1', ...header })}.${encode({ ...right, ...change })}.AA`
const read = (text: string) => readAuthorizationAssertion(text, { issuer, now })

describe('an assertion that is used as a grant (RFC 7523 §3)', () => {
  it('is read', () => {
    expect(read(jwt())).toEqual({
      jwt: jwt(),
      issuer: 'https://idp.example',
      subject: 'ada',
      algorithm: 'ES256',
      keyId: 'k1',
      id: '1',
      expiresAt: now + 60,
    })
  })

  it.each<[string, Change]>([
    ['no type', {}],
    ['JWT', { typ: 'JWT' }],
    ['its own', { typ: 'authorization-grant+jwt' }],
    ['its media type', { typ: 'application/authorization-grant+jwt' }],
  ])('may have %s', (_, header) => {
    expect(read(jwt({}, header)).subject).toBe('ada')
  })

  it.each<[string, Change, Change, string]>([
    ['§3.1 no issuer', { iss: undefined }, {}, 'iss'],
    ['§3.1 an empty issuer', { iss: '' }, {}, 'iss'],
    ['§3.2 no subject', { sub: undefined }, {}, 'sub'],
    ['§3.3 no audience', { aud: undefined }, {}, 'aud'],
    ['§3.3 another audience', { aud: 'https://other.example' }, {}, 'aud'],
    ['§3.3 several audiences', { aud: [issuer, 'https://other.example'] }, {}, 'aud'],
    ['§3.4 no end', { exp: undefined }, {}, 'exp'],
    ['§3.4 an end that is over', { exp: now }, {}, 'has expired'],
    ['§3.4 an end that is far', { exp: now + 601 }, {}, '600 seconds ahead'],
    ['§3.5 not yet', { nbf: now + 60 }, {}, 'nbf'],
    ['§3.6 issued later', { iat: now + 60 }, {}, 'iat'],
    ['§3.7 no id', { jti: undefined }, {}, 'jti'],
    ['§3.9 no signature', {}, { alg: 'none' }, 'must be signed'],
    ['§3.9 a secret that both know', {}, { alg: 'HS256' }, 'must be signed'],
    ['of another type', {}, { typ: 'client-authentication+jwt' }, 'another type'],
    ['an access token', {}, { typ: 'at+jwt' }, 'another type'],
  ])('is refused: %s', (_, change, header, says) => {
    expect(() => read(jwt(change, header))).toThrow(
      expect.objectContaining({ code: 'invalid_grant', description: expect.stringContaining(says) }),
    )
  })

  it.each(['', 'x', 'a.b.c', '....'])('is refused: %j is no JWT', text => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid_grant' }))
  })
})

describe('the subject of another issuer', () => {
  it('is the same each time, and fits where ids do', () => {
    expect(foreignSubject('https://idp.example', 'ada')).toBe(foreignSubject('https://idp.example', 'ada'))
    expect(foreignSubject('https://idp.example', 'ada@example.com')).toMatch(/^jwt:[A-Za-z0-9_-]{43}$/)
  })

  it('is no other issuer’s, no account’s and no client’s', () => {
    const subject = foreignSubject('https://idp.example', 'ada')
    for (const [other, name] of [
      ['https://idp.example/', 'ada'],
      ['https://idp.exampl', 'eada'],
      ['https://idp.example', 'Ada'],
    ] as const)
      expect(foreignSubject(other, name)).not.toBe(subject)
    expect(isForeignSubject(subject)).toBe(true)
    expect(isForeignSubject('0199aa00-0000-7000-8000-0000000000ad')).toBe(false)
    expect(subject).not.toMatch(/^[A-Za-z0-9._~-]{1,64}$/) // what a client's id may be
  })
})
