import type { KeyObject } from 'node:crypto'
import { type CryptoKey, importJWK, type JWK } from 'jose'

/** Finds the issuer's public key with an id, or undefined when the issuer has none. */
export type KeySource = (keyId: string) => Promise<CryptoKey | KeyObject | undefined>

const refreshMilliseconds = 10 * 60_000
const againMilliseconds = 5_000
const timeoutMilliseconds = 3_000

/**
 * The issuer's keys from its JWK Set. Read again after ten minutes, or for a key it does not know, at most every five seconds;
 * while the issuer is not reachable the last known keys go on.
 * @see RFC 7517 §5, RFC 9068 §4
 */
export function remoteKeys(jwksUrl: string | (() => Promise<string>)): KeySource {
  let keys = new Map<string, CryptoKey | Uint8Array>()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    readAt = performance.now()
    const url = typeof jwksUrl === 'string' ? jwksUrl : await jwksUrl()
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMilliseconds), redirect: 'error' })
    if (!response.ok) throw new Error(`${url} answers ${response.status}`)
    const { keys: jwks } = (await response.json()) as { keys: JWK[] }
    const usable = jwks.filter(jwk => jwk.kid !== undefined && jwk.alg === 'ES256' && jwk.use !== 'enc')
    keys = new Map(await Promise.all(usable.map(async jwk => [jwk.kid ?? '', await importJWK(jwk)] as const)))
  }

  return async keyId => {
    const age = performance.now() - readAt
    if (age > refreshMilliseconds || (!keys.has(keyId) && age > againMilliseconds)) {
      reading ??= read().finally(() => {
        reading = undefined
      })
    }
    if (reading && !keys.has(keyId)) await reading
    else reading?.catch(() => undefined) // read in the background: the known key is good meanwhile
    const key = keys.get(keyId)
    return key instanceof Uint8Array ? undefined : key
  }
}
