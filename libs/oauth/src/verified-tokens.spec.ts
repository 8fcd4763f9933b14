import { describe, expect, it } from '@jest/globals'
import { VerifiedTokens } from './verified-tokens.js'

/** Tokens that are good while they begin with the id of a key, and what was verified of them. */
function tokens(atMost: number) {
  const keys = new Map([['a', {}]])
  const verified: string[] = []
  const all = new VerifiedTokens({
    atMost,
    keyOf: async keyId => keys.get(keyId),
    async verify(token) {
      verified.push(token)
      const [keyId = ''] = token.split('.')
      const key = keys.get(keyId)
      return key && { content: { token }, keyId, key }
    },
  })
  return { all, keys, verified }
}

describe('tokens that come again', () => {
  it('are verified once', async () => {
    const { all, verified } = tokens(10)
    const first = await all.open('a.1')
    expect(first).toEqual({ token: 'a.1' })
    expect(await all.open('a.1')).toBe(first)
    expect(await all.open('a.2')).toEqual({ token: 'a.2' })
    expect(verified).toEqual(['a.1', 'a.2'])
  })

  it.each([10, 0])('say the same to all, none of whom can change it: %i remembered', async atMost => {
    const content = { scopes: ['read'], act: { sub: 'agent' } }
    const all = new VerifiedTokens({
      atMost,
      keyOf: async () => 'key',
      verify: async () => ({ content, keyId: 'a', key: 'key' }),
    })
    const read = await all.open('a.1')
    expect(() => read?.scopes.push('admin')).toThrow(TypeError)
    expect(() => Object.assign(Object(read?.act), { sub: 'eve' })).toThrow(TypeError)
    expect(await all.open('a.1')).toEqual({ scopes: ['read'], act: { sub: 'agent' } })
  })

  it('are verified again when their key is another, and are none when it is gone', async () => {
    const { all, keys, verified } = tokens(10)
    await all.open('a.1')
    keys.set('a', {})
    expect(await all.open('a.1')).toEqual({ token: 'a.1' })
    keys.delete('a')
    expect(await all.open('a.1')).toBeUndefined()
    expect(verified).toHaveLength(3)
  })

  it('are remembered up to a number, those that come again the longest', async () => {
    const { all, verified } = tokens(10)
    await all.open('a.often')
    for (let n = 0; n < 100; n += 1) {
      await all.open(`a.${n}`)
      await all.open('a.often')
      expect(all.size).toBeLessThanOrEqual(10)
    }
    expect(verified.filter(token => token === 'a.often')).toHaveLength(1)
    await all.open('a.0')
    expect(verified.filter(token => token === 'a.0')).toHaveLength(2)
  })

  it('are not remembered where they are no good, or none are to be', async () => {
    const bad = tokens(10)
    expect([await bad.all.open('b.1'), await bad.all.open('b.1')]).toEqual([undefined, undefined])
    expect(bad.verified).toHaveLength(2)
    expect(bad.all.size).toBe(0)
    const none = tokens(0)
    expect([await none.all.open('a.1'), await none.all.open('a.1')]).toHaveLength(2)
    expect([none.verified.length, none.all.size]).toEqual([2, 0])
  })
})
