import { createHash, createSecretKey } from 'node:crypto'
import type { OpaqueTokenKey } from '@grantlog/oauth'
import { derivedKeys } from './derived-key.js'

/** The first seals, all open. */
export type OpaqueTokenKeys = readonly [OpaqueTokenKey, ...OpaqueTokenKey[]]

/** The keys of opaque access tokens: one of each key-encryption key, and replaced with it. */
export function opaqueTokenKeys(keyEncryptionKeys: string): OpaqueTokenKeys {
  const [first, ...others] = derivedKeys(keyEncryptionKeys, 'opaque access token').map(named)
  if (first === undefined) throw new Error('There is no key-encryption key')
  return [first, ...others]
}

/** Named by a part of its hash, which tells nothing of 256 random bits. */
function named(bytes: Buffer): OpaqueTokenKey {
  const hash = createHash('sha256').update(bytes).digest('base64url')
  return { kid: `opaque-${hash.slice(0, 11)}`, key: createSecretKey(bytes) }
}
