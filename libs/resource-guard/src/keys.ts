import type { KeyObject } from 'node:crypto'
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
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMilliseconds), redirect: 'error' })
  if (!response.ok) {
    await response.body?.cancel() // or it would keep its connection
    throw new Error(`${url} answers ${response.status}`)
  }
  const { keys: jwks } = (await response.json()) as { keys: JWK[] }
  const wanted = jwks.filter(jwk => jwk.kid !== undefined && jwk.alg === 'ES256' && jwk.use !== 'enc')
  const imported = await Promise.allSettled(
    wanted.map(async jwk => [jwk.kid ?? '', await importJWK(jwk)] as const),
  )
  return new Map(
    imported.flatMap(outcome => {
      if (outcome.status === 'rejected') return []
      const [keyId, key] = outcome.value
      return key instanceof Uint8Array ? [] : [[keyId, key] as const]
    }),
  )
}
