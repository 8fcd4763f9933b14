import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/** A public key as `/jwks` shows it. @see RFC 7517 §4, RFC 7518 §6.2.1 */
export type PublicJwk = {
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
  kid: string
  alg: 'ES256'
  use: 'sig'
}

/**
 * The public half of an ES256 key. Only the named members leave: a private key's `d` never does.
 *
 * @param key private or public, on curve P-256
 * @param kid default: the key's thumbprint
 * @throws TypeError when the key is not on P-256
 * @see RFC 7517 §4, RFC 7518 §6.2.1
 */
export function publicJwk(key: KeyObject, kid?: string): PublicJwk {
  const { kty, crv, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) {
    throw new TypeError('ES256 needs a key on curve P-256.')
  }
  return { kty, crv, x, y, kid: kid ?? thumbprint({ kty, crv, x, y }), alg: 'ES256', use: 'sig' }
}

// RFC 7638 §3.2, RFC 8037 §2: the required members of each type, in lexicographic order.
const REQUIRED_MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
}

/**
 * The SHA-256 thumbprint of a public key, 43 characters of base64url. It names the key wherever it goes: use it as `kid`.
 *
 * @throws TypeError when a required member is missing or the key type is none of EC, OKP and RSA
 * @see RFC 7638 §3
 */
export function thumbprint(jwk: JsonWebKey): string {
  const members = REQUIRED_MEMBERS[jwk.kty ?? '']
  if (!members?.every(member => typeof jwk[member] === 'string')) {
    throw new TypeError('A thumbprint needs a complete public JWK of type EC, OKP or RSA.')
  }
  const canonical = JSON.stringify(Object.fromEntries(members.map(member => [member, jwk[member]])))
  return createHash('sha256').update(canonical).digest('base64url')
}
