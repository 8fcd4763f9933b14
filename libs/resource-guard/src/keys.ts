import { KeyObject } from 'node:crypto'
import { type SigningAlgorithm, signingAlgorithms } from '@grantlog/oauth'
import { type CryptoKey, importJWK, type JWK } from 'jose'

/** Finds the issuer's public key with an id, or undefined when the issuer has none. */
export type KeySource = (keyId: string) => Promise<CryptoKey | KeyObject | undefined>

const refreshMilliseconds = 10 * 60_000
const againMilliseconds = 5_000
const timeoutMilliseconds = 3_000

/**
 * The issuer's keys from its JWK Set. Read again after ten minutes, or for a key it does not know, at most every five seconds;
 * while the issuer is not reachable the last known keys go on, and whether it has a key that is not known can't be said.
 * @param options.now milliseconds of a clock that never goes back; default the process's
 * @throws Error when the key is not known and the issuer can't be asked
 * @see RFC 7517 §5, RFC 9068 §4
 */
export function remoteKeys(
  jwksUrl: string | (() => Promise<string>),
  { now = () => performance.now() }: { now?: () => number } = {},
): KeySource {
  let keys = new Map<string, CryptoKey>()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  let failure: Error | undefined

  async function read(): Promise<void> {
    readAt = now()
    try {
      keys = await readJwks(typeof jwksUrl === 'string' ? jwksUrl : await jwksUrl())
      failure = undefined
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
    }
  }

  return async keyId => {
    const age = now() - readAt
    if (age > refreshMilliseconds || (!keys.has(keyId) && age > againMilliseconds)) {
      reading ??= read().finally(() => {
        reading = undefined
      })
    }
    // a known key is good while the set is read again in the background
    if (reading && !keys.has(keyId)) await reading
    const key = keys.get(keyId)
    // "no such key" would make clients throw good tokens away
    if (key === undefined && failure !== undefined) throw failure
    return key
  }
}

/** The usable keys by their id. RFC 7517 §5: keys that are not understood or out of range "SHOULD" be ignored. */
async function readJwks(url: string): Promise<Map<string, CryptoKey>> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeoutMilliseconds),
    redirect: 'error',
    headers: { 'cache-control': 'no-cache' }, // what a cache on the way kept may lack the key that is looked for
  })
  if (!response.ok) {
    await response.body?.cancel() // or it would keep its connection
    throw new Error(`${url} answers ${response.status}`)
  }
  const { keys: jwks } = (await response.json()) as { keys: JWK[] }
  const wanted = jwks.filter(jwk => jwk.kid !== undefined && jwk.use !== 'enc')
  const imported = await Promise.allSettled(
    wanted.map(async jwk => [jwk.kid ?? '', await importKey(jwk)] as const),
  )
  return new Map(imported.flatMap(outcome => (outcome.status === 'rejected' ? [] : [outcome.value])))
}

/**
 * A public key for the one algorithm that it names (RFC 8725 §3.1).
 * @throws Error when it names none that access tokens are signed with, or is no key for it
 */
export async function importKey(jwk: JWK): Promise<CryptoKey> {
  if (!signingAlgorithms.some(algorithm => algorithm === jwk.alg))
    throw new TypeError(`No access token is signed with ${jwk.alg}`)
  const key = await importJWK(jwk)
  if (key instanceof Uint8Array) throw new TypeError('A shared secret is no public key')
  return key
}

const kinds: Readonly<Record<SigningAlgorithm, { readonly name: string; readonly type: string }>> = {
  ES256: { name: 'ECDSA', type: 'ec' },
  EdDSA: { name: 'Ed25519', type: 'ed25519' },
  PS256: { name: 'RSA-PSS', type: 'rsa' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', type: 'rsa' },
}

/** Whether a token that says so can have been signed with the other half of the key. */
export function isKeyFor(algorithm: string | undefined, key: CryptoKey | KeyObject): boolean {
  const kind = signingAlgorithms.find(known => known === algorithm)
  if (kind === undefined) return false
  return 'algorithm' in key
    ? key.algorithm.name === kinds[kind].name
    : key.asymmetricKeyType === kinds[kind].type
}

/** A key and the one algorithm that it is for, as Node's own functions take it. */
export interface NodeKey {
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
}

const nodeKeys = new WeakMap<CryptoKey, NodeKey>()

/** undefined for a `KeyObject`: it does not say which algorithm it is for (RFC 8725 §3.1). */
export function nodeKeyOf(key: CryptoKey | KeyObject): NodeKey | undefined {
  if (!('algorithm' in key)) return undefined
  const known = nodeKeys.get(key)
  if (known !== undefined) return known
  const algorithm = signingAlgorithms.find(each => isKeyFor(each, key))
  if (algorithm === undefined) return undefined
  const made = { algorithm, publicKey: KeyObject.from(key) }
  nodeKeys.set(key, made)
  return made
}
