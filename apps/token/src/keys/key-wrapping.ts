import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { CompactEncrypt, compactDecrypt } from 'jose'

/** Encrypts private keys for the time that they are stored. A key management service is another implementation. */
export interface KeyWrapping {
  wrap(bytes: Uint8Array): Promise<string>
  /** @throws Error when the text is not one that it wrapped, or it can not be asked at the moment */
  unwrap(wrapped: string): Promise<Uint8Array>
}

/**
 * Key-encryption keys from the environment: a compact JWE (`dir`, `A256GCM`). The first wraps, all unwrap.
 * @param keys 32 bytes in base64url each, separated by commas
 * @see RFC 7516 §7.1, RFC 7518 §4.5 and §5.3
 */
export function environmentWrapping(keys: string): KeyWrapping {
  const known = keys.split(',').map(encoded => wrappingKey(createSecretKey(encoded, 'base64url')))
  return {
    async wrap(bytes) {
      const [first] = known
      if (first === undefined) throw new Error('There is no key-encryption key')
      return new CompactEncrypt(bytes)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: first.kid })
        .encrypt(first.key)
    },
    async unwrap(wrapped) {
      const keyOf = ({ kid }: { kid?: string }) => {
        const found = known.find(key => key.kid === kid)
        if (found === undefined) throw new Error('KEY_ENCRYPTION_KEY is not the one that it was stored under')
        return found.key
      }
      const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
      return (await compactDecrypt(wrapped, keyOf, options)).plaintext
    },
  }
}

/** Named by a part of its hash, which tells nothing of 256 random bits. */
function wrappingKey(key: KeyObject): { kid: string; key: KeyObject } {
  return { kid: createHash('sha256').update(key.export()).digest('base64url').slice(0, 11), key }
}
