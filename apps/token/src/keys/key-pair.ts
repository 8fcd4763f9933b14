import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { type PublicJwk, publicJwk, type SigningAlgorithm } from '@grantlog/oauth'
import type { NewKey } from '../domain/signing-keys.js'

const generate = promisify(generateKeyPair)
/** As strong as the other algorithms’ keys, about (NIST SP 800-57 part 1 §5.6.1). */
const rsaBits = 3072

/** Makes a key for an algorithm, on a thread of its own: an RSA key takes a while. */
export async function createKeyPair(
  algorithm: SigningAlgorithm,
): Promise<{ newKey: NewKey; privateKey: KeyObject }> {
  for (;;) {
    const { privateKey } = await generateFor(algorithm)
    const { kid, alg: _, use: __, ...jwk } = publicJwk(privateKey, algorithm)
    // one with a hyphen first would look like an option where the operator names it
    if (!kid.startsWith('-')) return { newKey: { keyId: kid, algorithm, jwk }, privateKey }
  }
}

function generateFor(algorithm: SigningAlgorithm): Promise<{ privateKey: KeyObject }> {
  switch (algorithm) {
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' })
    case 'EdDSA':
      return generate('ed25519')
    case 'PS256':
    case 'RS256':
      return generate('rsa', { modulusLength: rsaBits })
  }
}

/** As the JWK Set shows it (RFC 7517 §4). */
export function publishedJwk({ keyId, algorithm, jwk }: NewKey): PublicJwk {
  return { ...jwk, kid: keyId, alg: algorithm, use: 'sig' }
}

export const exportPrivate = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' })

/** @throws Error when it is not the private half of the key */
export function importPrivate(bytes: Uint8Array, { keyId, algorithm }: NewKey): KeyObject {
  const key = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
  if (publicJwk(key, algorithm).kid !== keyId) throw new Error('it is the private half of another key')
  return key
}
