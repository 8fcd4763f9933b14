import { hkdfSync } from 'node:crypto'

/**
 * A key for one purpose (HKDF, RFC 5869): the same in every instance, and of no other use.
 * @param keyEncryptionKeys 32 bytes in base64url, or several separated by commas: the first one counts
 */
export function derivedKey(keyEncryptionKeys: string, purpose: string): Buffer {
  const [first = ''] = keyEncryptionKeys.split(',')
  return derived(first, purpose)
}

/** One of each: what was made with a key that is first no more can still be opened. */
export function derivedKeys(keyEncryptionKeys: string, purpose: string): Buffer[] {
  return keyEncryptionKeys.split(',').map(each => derived(each, purpose))
}

function derived(keyEncryptionKey: string, purpose: string): Buffer {
  const secret = Buffer.from(keyEncryptionKey, 'base64url')
  return Buffer.from(hkdfSync('sha256', secret, '', `grantlog ${purpose}`, 32))
}
