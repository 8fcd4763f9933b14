import { hkdfSync } from 'node:crypto'

/**
 * A key for one purpose (HKDF, RFC 5869): the same in every instance, and of no other use.
 * @param keyEncryptionKey 32 bytes in base64url
 */
export function derivedKey(keyEncryptionKey: string, purpose: string): Buffer {
  const secret = Buffer.from(keyEncryptionKey, 'base64url')
  return Buffer.from(hkdfSync('sha256', secret, '', `grantlog ${purpose}`, 32))
}
