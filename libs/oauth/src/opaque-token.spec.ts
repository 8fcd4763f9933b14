import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { AccessTokenClaims } from './access-token.js'
import { isOpaqueToken, openOpaqueToken, sealAccessToken } from './opaque-token.js'

const newKey = (kid: string) => ({ kid, key: createSecretKey(randomBytes(32)) })
const current = newKey('current')
const before = newKey('before')
const claims: AccessTokenClaims = {
  iss: 'https://auth.example',
  sub: 'ada',
  aud: 'https://api.example/notes',
  client_id: 'ledgerly',
  iat: 1_767_225_600,
  exp: 1_767_226_200,
  jti: '0199aa00-0000-7000-8000-0000000000a1',
  scope: 'notes:read',
}
const token = sealAccessToken(claims, current)

describe('an opaque access token', () => {
  it('is opened by the key that sealed it, which it is told by', () => {
    expect(openOpaqueToken(token, [current])).toEqual({ claims, kid: 'current' })
  })

  it('is opened by a key that seals no more', () => {
    const old = sealAccessToken(claims, before)
    expect(openOpaqueToken(old, [current, before])).toEqual({ claims, kid: 'before' })
    expect(openOpaqueToken(old, [current])).toBeUndefined()
  })

  it('tells nothing, and is never the same twice', () => {
    const bytes = Buffer.from(token.slice(4), 'base64url').toString('latin1')
    for (const said of [claims.sub, claims.client_id, claims.jti, 'scope']) expect(bytes).not.toContain(said)
    expect(sealAccessToken(claims, current)).not.toBe(token)
  })

  it('is known to scanners for secrets, and may stand in a header (RFC 6750 §2.1)', () => {
    expect(token).toMatch(/^gla_[A-Za-z0-9_-]{200,}$/)
    expect(isOpaqueToken(token)).toBe(true)
    expect(isOpaqueToken(`ey${token}`)).toBe(false)
  })

  it('can not be changed: not one bit of it', () => {
    const bytes = Buffer.from(token.slice(4), 'base64url')
    for (const place of bytes.keys()) {
      const changed = Buffer.from(bytes)
      changed[place] = (changed[place] ?? 0) ^ 1
      expect(openOpaqueToken(`gla_${changed.toString('base64url')}`, [current])).toBeUndefined()
    }
  })

  it.each([
    ['nothing', ''],
    ['the prefix alone', 'gla_'],
    ['no more than a salt and a tag', `gla_${Buffer.alloc(32).toString('base64url')}`],
    ['without its prefix', token.slice(4)],
    ['with padding', `${token}=`],
    ['with a letter more', `${token}A`],
    ['cut', token.slice(0, -4)],
    ['with a prefix in capitals', token.replace('gla_', 'GLA_')],
    ['two of them', `${token}${token}`],
  ])('is none: %s', (_, text) => {
    expect(openOpaqueToken(text, [current])).toBeUndefined()
  })
})
