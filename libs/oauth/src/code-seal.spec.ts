import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CompactEncrypt, decodeProtectedHeader } from 'jose'
import { openCode, parseSealKeys, sealCode } from './code-seal.js'
import { OAuthError } from './errors.js'

const K1 = Buffer.alloc(32, 1).toString('base64url')
const K2 = Buffer.alloc(32, 2).toString('base64url')
const keys = parseSealKeys(`k1:${K1}`)
const NOW = 1_800_000_000
const claims = { codeId: '0199', clientId: 's6BhdRkqt3', scopes: ['invoices:read'] }
const seal = () => sealCode(claims, keys, { expiresAt: NOW + 60 })

const refused = expect.objectContaining({
  code: 'invalid_grant',
  description: 'The authorization code is invalid or has expired.',
})

/** A code sealed as someone else with the key would seal it. */
const forge = (payload: string, header: object = {}) =>
  new CompactEncrypt(Buffer.from(payload))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: 'k1', typ: 'grantlog-code+jwt', ...header })
    .encrypt(keys[0].key)

describe('sealed authorization codes', () => {
  test('open to what was sealed, with exp (RFC 6749 §4.1.2)', async () => {
    expect(await openCode(await seal(), keys, { now: NOW })).toEqual({ ...claims, exp: NOW + 60 })
  })

  test('are a compact JWE of dir and A256GCM with kid and typ (RFC 7516 §7.1, RFC 7518 §4.5, §5.3)', async () => {
    const code = await seal()
    expect(decodeProtectedHeader(code)).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: 'k1',
      typ: 'grantlog-code+jwt',
    })
    expect(code.split('.')).toEqual([
      expect.any(String),
      '', // RFC 7518 §4.5: the encrypted key is the empty octet sequence
      expect.any(String),
      expect.any(String),
      expect.any(String),
    ])
    expect(await seal()).not.toBe(code)
  })

  test('open with every key, and the first seals', async () => {
    const rotated = parseSealKeys(`k2:${K2},k1:${K1}`)
    expect(await openCode(await seal(), rotated, { now: NOW })).toMatchObject(claims)
    const sealed = await sealCode(claims, rotated, { expiresAt: NOW + 60 })
    expect(decodeProtectedHeader(sealed).kid).toBe('k2')
    await expect(openCode(sealed, keys, { now: NOW })).rejects.toEqual(refused)
  })

  test('expire (RFC 6749 §4.1.2)', async () => {
    const code = await seal()
    await expect(openCode(code, keys, { now: NOW + 59 })).resolves.toMatchObject(claims)
    await expect(openCode(code, keys, { now: NOW + 60 })).rejects.toEqual(refused)
  })

  test('the expiry is the given one, whatever the claims say', async () => {
    const code = await sealCode({ ...claims, exp: NOW + 9999 }, keys, { expiresAt: NOW + 60 })
    await expect(openCode(code, keys, { now: NOW + 60 })).rejects.toEqual(refused)
  })

  test('tell only the log what was wrong', async () => {
    await expect(openCode(await seal(), keys, { now: NOW + 61 })).rejects.toMatchObject({
      detail: expect.stringContaining('exp'),
    })
    await expect(openCode('a.b', keys, { now: NOW })).rejects.toMatchObject({
      detail: expect.stringContaining('authorization code: '),
    })
  })

  test.each([
    ['an empty code', ''],
    ['no JWE', 'SplxlOBeZQQYbYS6WxSbIA'],
    ['five empty parts', '....'],
    ['an oversized code', 'a'.repeat(8193)],
  ])('refuse %s (RFC 6749 §5.2)', async (_, code) => {
    await expect(openCode(code, keys, { now: NOW })).rejects.toEqual(refused)
  })

  test.each([
    ['no exp (RFC 6749 §4.1.2)', JSON.stringify(claims), {}],
    ['claims that are no JSON (RFC 7519 §7.2)', 'nonsense', {}],
    ['claims that are no object (RFC 7519 §7.2)', '[]', {}],
    ['another typ (RFC 8725 §3.11)', JSON.stringify({ exp: NOW + 60 }), { typ: 'JWT' }],
    ['an unknown kid', JSON.stringify({ exp: NOW + 60 }), { kid: 'k9' }],
    ['no kid', JSON.stringify({ exp: NOW + 60 }), { kid: undefined }],
  ])('refuse %s', async (_, payload, header) => {
    expect(await openCode(await forge(JSON.stringify({ exp: NOW + 60 })), keys, { now: NOW })).toEqual({
      exp: NOW + 60,
    })
    await expect(openCode(await forge(payload, header), keys, { now: NOW })).rejects.toEqual(refused)
  })

  test('refuse another key management, though the key would fit (RFC 8725 §3.1)', async () => {
    const code = await forge(JSON.stringify({ exp: NOW + 60 }), { alg: 'A256GCMKW' })
    await expect(openCode(code, keys, { now: NOW })).rejects.toEqual(refused)
  })

  test('refuse an oversized code, though it was sealed with the key', async () => {
    const code = await forge(JSON.stringify({ exp: NOW + 60, text: 'a'.repeat(6200) }))
    expect(code.length).toBeGreaterThan(8192)
    await expect(openCode(code, keys, { now: NOW })).rejects.toEqual(refused)
  })

  test('refuse another content encryption, though the key would fit (RFC 8725 §3.1)', async () => {
    const code = await forge(JSON.stringify({ exp: NOW + 60 }), { enc: 'A128CBC-HS256' })
    await expect(openCode(code, keys, { now: NOW })).rejects.toEqual(refused)
  })

  test('refuse any changed character (RFC 7518 §5.3)', async () => {
    const code = await seal()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(code.length - 1),
        fc.constantFrom('A', 'Q', 'x', '.', '-'),
        async (at, character) => {
          const changed = code.slice(0, at) + character + code.slice(at + 1)
          // The last character of a part may carry unused bits: then the bytes are the same.
          const bytes = (text: string) =>
            text.split('.').map(part => Buffer.from(part, 'base64url').toString('hex'))
          fc.pre(bytes(changed).join() !== bytes(code).join())
          await expect(openCode(changed, keys, { now: NOW })).rejects.toBeInstanceOf(OAuthError)
        },
      ),
    )
  })

  test('throw nothing but OAuthError for any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async code => {
        await expect(openCode(code, keys, { now: NOW })).rejects.toBeInstanceOf(OAuthError)
      }),
    )
  })

  test('are never longer than 8 kB', async () => {
    const large = { text: 'a'.repeat(8000) }
    await expect(sealCode(large, keys, { expiresAt: NOW })).rejects.toMatchObject({ code: 'server_error' })
  })
})

describe('sealed device codes (RFC 8628 §3.2)', () => {
  const kind = 'device code'
  const sealDevice = () => sealCode(claims, keys, { expiresAt: NOW + 60, kind })

  test('open to what was sealed, and have a typ of their own (RFC 8725 §3.11)', async () => {
    const code = await sealDevice()
    expect(decodeProtectedHeader(code).typ).toBe('grantlog-device+jwt')
    expect(await openCode(code, keys, { now: NOW + 59, kind })).toEqual({ ...claims, exp: NOW + 60 })
  })

  test('are never taken for authorization codes, nor the other way round', async () => {
    await expect(openCode(await sealDevice(), keys, { now: NOW })).rejects.toEqual(refused)
    await expect(openCode(await seal(), keys, { now: NOW, kind })).rejects.toMatchObject({
      code: 'invalid_grant',
      description: 'The device code is invalid or has expired.',
    })
  })

  test('say that they have expired (§3.5), and only to who has one of ours', async () => {
    await expect(openCode(await sealDevice(), keys, { now: NOW + 60, kind })).rejects.toMatchObject({
      code: 'expired_token',
    })
    const old = (header: object) => forge(JSON.stringify({ exp: NOW - 1 }), header)
    for (const header of [{ typ: 'grantlog-code+jwt' }, { typ: 'grantlog-device+jwt', kid: 'k9' }])
      await expect(openCode(await old(header), keys, { now: NOW, kind })).rejects.toMatchObject({
        code: 'invalid_grant',
      })
  })
})

describe('parseSealKeys', () => {
  test('reads several keys in their order and ignores spaces around them', () => {
    expect(parseSealKeys(` k2:${K2} , k1:${K1} `).map(({ kid, key }) => [kid, key.symmetricKeySize])).toEqual(
      [
        ['k2', 32],
        ['k1', 32],
      ],
    )
  })

  test('a key shows nothing of itself in a log', () => {
    expect(inspect(keys, { depth: 9 }) + JSON.stringify(keys)).not.toContain(K1.slice(0, 8))
  })

  test.each([
    ['nothing', '', 'There is no seal key'],
    ['a comma alone', ' , ', 'There is no seal key'],
    ['a key without an id', K1, 'Seal key 1 must look like'],
    ['a key before its id', `${K1}:k1`, 'The id of seal key 1'],
    ['an empty id', `:${K1}`, 'The id of seal key 1'],
    ['three parts', `k1:${K1}:x`, 'Seal key 1 must look like'],
    ['a short key', `k1:${K1.slice(2)}`, 'Seal key 1 must be 32 bytes'],
    ['a long key', `k1:${K1}AA`, 'Seal key 1 must be 32 bytes'],
    ['a padded key (RFC 4648 §5)', `k1:${K1}=`, 'Seal key 1 must be 32 bytes'],
    ['a key with unused bits (RFC 4648 §3.5)', `k1:${K1.slice(0, -1)}F`, 'Seal key 1 must be 32 bytes'],
    ['two keys of one id', `k1:${K1},k1:${K2}`, 'Seal key 2 has the same id'],
  ])('refuses %s without showing it', (_, text, message) => {
    const parse = () => parseSealKeys(text)
    expect(parse).toThrow(message)
    expect(parse).not.toThrow(K1.slice(0, 8))
  })
})
