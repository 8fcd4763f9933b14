import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/** The algorithms that access tokens are signed with. @see RFC 7518 §3.1, RFC 8037 §3.1 */
export const signingAlgorithms = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/** What a public key is made of. @see RFC 7518 §6.2.1, §6.3.1; RFC 8037 §2 */
export type PublicKeyMembers =
  | { kty: 'EC'; crv: 'P-256'; x: string; y: string }
  | { kty: 'OKP'; crv: 'Ed25519'; x: string }
  | { kty: 'RSA'; n: string; e: string }

/** A public key as `/jwks` shows it. @see RFC 7517 §4 */
export type PublicJwk = PublicKeyMembers & { kid: string; alg: SigningAlgorithm; use: 'sig' }

/**
 * The public half of a signing key. Only the named members leave: a private key's never do.
 *
 * @param key private or public
 * @param kid default: the key's thumbprint
 * @throws TypeError when the key is not one for the algorithm
 * @see RFC 7517 §4
 */
export function publicJwk(key: KeyObject, algorithm: SigningAlgorithm, kid?: string): PublicJwk {
  assertKeyFor(algorithm, key)
  const members = membersOf((key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' }))
  return { ...members, kid: kid ?? thumbprint(members), alg: algorithm, use: 'sig' }
}

/**
 * Accepts a key, of either half, that an algorithm works with.
 *
 * @throws TypeError
 */
export function assertKeyFor(algorithm: SigningAlgorithm, key: KeyObject): void {
  if (fitting.get(key) === algorithm) return
  assertFits(algorithm, key)
  fitting.set(key, algorithm)
}

/** What was found out of keys: to ask one costs a tenth of a signature. */
const fitting = new WeakMap<KeyObject, SigningAlgorithm>()

function assertFits(algorithm: SigningAlgorithm, key: KeyObject): void {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  switch (algorithm) {
    case 'ES256': // RFC 7518 §3.4
      if (key.asymmetricKeyType !== 'ec' || namedCurve !== 'prime256v1')
        throw new TypeError('ES256 needs a key on curve P-256.')
      return
    case 'EdDSA': // RFC 8037 §3.1
      if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('EdDSA needs a key on curve Ed25519.')
      return
    case 'PS256': // RFC 7518 §3.5: "A key of size 2048 bits or larger MUST be used"
    case 'RS256': // RFC 7518 §3.3: the same
      if (key.asymmetricKeyType !== 'rsa' || modulusLength < 2048)
        throw new TypeError(`${algorithm} needs an RSA key of 2048 bits or more.`)
  }
}

function membersOf({ kty, x = '', y = '', n = '', e = '' }: JsonWebKey): PublicKeyMembers {
  if (kty === 'EC') return { kty, crv: 'P-256', x, y }
  return kty === 'OKP' ? { kty, crv: 'Ed25519', x } : { kty: 'RSA', n, e }
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
