import { thumbprint } from '@grantlog/oauth'
import { describe, expect, it } from '@jest/globals'
import { createKeyPair, exportPrivate, importPrivate, publishedJwk } from './key-pair.js'

describe('a key pair', () => {
  it.each(['ES256', 'EdDSA', 'PS256', 'RS256'] as const)(
    'for %s comes back as it was stored',
    async algorithm => {
      const { newKey, privateKey } = await createKeyPair(algorithm)
      expect(newKey.keyId).toBe(thumbprint(newKey.jwk))
      expect(importPrivate(exportPrivate(privateKey), newKey).equals(privateKey)).toBe(true)
      expect(publishedJwk(newKey)).toEqual({ ...newKey.jwk, kid: newKey.keyId, alg: algorithm, use: 'sig' })
      const other = await createKeyPair(algorithm)
      expect(() => importPrivate(exportPrivate(other.privateKey), newKey)).toThrow(
        'private half of another key',
      )
    },
  )

  it('is named so that no id looks like an option of a program', async () => {
    const made = await Promise.all(Array.from({ length: 500 }, () => createKeyPair('EdDSA')))
    expect(made.filter(({ newKey }) => newKey.keyId.startsWith('-'))).toEqual([])
  })
})
