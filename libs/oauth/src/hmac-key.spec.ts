import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { HmacKey } from './hmac-key.js'

describe('an HMAC key', () => {
  test('hashes as RFC 4231 §4.2, §4.3 say', () => {
    const hex = (key: Buffer, text: string) =>
      Buffer.from(new HmacKey(key).of(text), 'base64url').toString('hex')
    expect(hex(Buffer.alloc(20, 0x0b), 'Hi There')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    expect(hex(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
  })

  test('hashes every text as Node does, with one key after another and again and again', () => {
    const keys = fc.uint8Array({ maxLength: 64 })
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(keys, texts, (key, all) => {
        const hmac = new HmacKey(key)
        for (const text of all)
          expect(hmac.of(text)).toBe(createHmac('sha256', key).update(text).digest('base64url'))
      }),
    )
  })

  test('shows nothing of the key', () => {
    const hmac = new HmacKey(Buffer.alloc(32, 'k'))
    expect(inspect(hmac, { showHidden: true, depth: 9 })).toBe('HmacKey {}')
    expect(JSON.stringify(hmac)).toBe('{}')
  })

  test('is not longer than a block of SHA-256 (RFC 2104 §2)', () => {
    expect(() => new HmacKey(Buffer.alloc(65))).toThrow(RangeError)
  })
})
