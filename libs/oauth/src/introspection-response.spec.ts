import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { jwtVerify } from 'jose'
import { openAccessToken } from './access-token.js'
import { asksForSignedIntrospection, signIntrospection } from './introspection-response.js'

const jwt = 'application/token-introspection+jwt'

describe('a caller asks for a signed introspection response (RFC 9701 §4)', () => {
  it.each([
    [jwt, true],
    ['Application/Token-Introspection+JWT', true],
    [`${jwt}, application/json`, true],
    [`application/json, ${jwt}`, true],
    [`application/json;q=0.9, ${jwt}`, true],
    [`${jwt};q=0.9, application/json;q=0.9`, true],
    [`${jwt};q=0.1, */*`, true],
    [`${jwt};q=0.5, application/json`, false],
    [`${jwt};q=0, application/json`, false],
    [`${jwt};q=0`, false],
    [`${jwt};q=0.000`, false],
    [`${jwt};q=2`, false],
    [`${jwt};q=yes`, false],
    [`${jwt};q=`, false],
    ['*/*', false],
    ['application/*', false],
    ['application/jwt', false],
    ['application/json', false],
    ['text/html', false],
    [',;,', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (accept, asked) => {
    expect(asksForSignedIntrospection(accept)).toBe(asked)
  })
})

describe('a signed introspection response (RFC 9701 §5)', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const response = { active: true, sub: 'ada', exp: 2 }
  const options = { issuer: 'https://auth.example', audience: 'notes-api', now: 1 }
  const text = signIntrospection(response, options, { kid: 'k1', algorithm: 'ES256', privateKey })

  it('names its issuer, the caller, the time, and holds the response as it is', async () => {
    const { payload, protectedHeader } = await jwtVerify(text, publicKey)
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'token-introspection+jwt', kid: 'k1' })
    expect(payload).toEqual({
      iss: 'https://auth.example',
      aud: 'notes-api',
      iat: 1,
      token_introspection: response,
    })
  })

  it('is no access token (§8.1)', async () => {
    expect(await openAccessToken(text, async () => ({ algorithm: 'ES256', publicKey }))).toBeUndefined()
  })
})
