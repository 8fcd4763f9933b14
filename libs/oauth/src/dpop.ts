import { createHash, timingSafeEqual } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, errors, type JWK, jwtVerify } from 'jose'
import { type ClientSigningAlgorithm, clientSigningAlgorithms } from './algorithms.js'
import { invalidDpopProof, useDpopNonce } from './errors.js'
import type { HmacKey } from './hmac-key.js'

/** A proof that is in order: who made it, and by what a second use is known. */
export interface DpopProof {
  /** `jkt`: the JWK thumbprint of the key (RFC 9449 §6.1). */
  readonly thumbprint: string
  readonly algorithm: string
  /** Names the proof, among all proofs of all keys. */
  readonly id: string
  /** When it is too old to be presented again, in seconds. */
  readonly expiresAt: number
}

interface DpopRequest {
  /** `htm` */
  readonly method: string
  /** `htu`: the URL under which clients reach the resource, and any other that it has. */
  readonly urls: readonly string[]
  /** Seconds. */
  readonly now: number
  /** The access token that comes with it, at a resource. */
  readonly accessToken?: string
  /** In which it may be signed, where not in all that clients sign in. */
  readonly algorithms?: readonly ClientSigningAlgorithm[]
  /** At a server that gives out nonces. */
  readonly nonces?: DpopNonces
}

const maxAge = 60
/** A client's clock may be ahead, in seconds. */
const maxLead = 10
/** How long at most a proof can be presented, in seconds: so long it must be remembered. */
export const longestProof = maxAge + 2 * maxLead
const maxIdLength = 256

/**
 * Checks everything of a DPoP proof but whether it was used before.
 *
 * @throws OAuthError `invalid_dpop_proof` that says what is wrong, `use_dpop_nonce`
 * @see RFC 9449 §4.3, whose numbers stand at the checks
 */
export async function verifyDpopProof(proof: string, request: DpopRequest): Promise<DpopProof> {
  // 1: Node joins header fields of one name by commas, which no JWT has; 2
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof))
    throw invalidDpopProof('The DPoP header must hold exactly one JWT.')
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt', // 4
    algorithms: [...(request.algorithms ?? clientSigningAlgorithms)], // 5
    requiredClaims: ['jti', 'htm', 'htu', 'iat'], // 3
    currentDate: new Date(request.now * 1000),
    clockTolerance: maxLead, // of nbf
  }).catch((error: unknown) => {
    if (!(error instanceof errors.JOSEError) && !(error instanceof TypeError)) throw error
    // 6, 7, and the form of it all
    throw invalidDpopProof(`The DPoP proof is not valid: ${error.message}`)
  })
  const { jti, htm, htu, iat = 0, exp, nonce, ath } = payload
  if (exp !== undefined && exp <= request.now) throw invalidDpopProof('The DPoP proof has expired.')
  if (typeof jti !== 'string' || jti === '' || jti.length > maxIdLength)
    throw invalidDpopProof(`The jti of the DPoP proof must have 1 to ${maxIdLength} characters.`)
  if (htm !== request.method) throw invalidDpopProof(`The htm of the DPoP proof must be ${request.method}.`) // 8
  if (typeof htu !== 'string' || !request.urls.map(plainUrl).includes(plainUrl(htu)))
    throw invalidDpopProof(`The htu of the DPoP proof must be ${request.urls[0]}`) // 9
  if (request.nonces && !(typeof nonce === 'string' && request.nonces.isFresh(nonce, request.now)))
    throw useDpopNonce(request.nonces.current(request.now)) // 10
  if (iat < request.now - maxAge || iat > request.now + maxLead)
    throw invalidDpopProof(`The iat of the DPoP proof is not within ${maxAge} seconds of now.`) // 11
  if (request.accessToken !== undefined && ath !== sha256(request.accessToken))
    throw invalidDpopProof('The ath of the DPoP proof is not the hash of the access token.') // 12
  const thumbprint = await calculateJwkThumbprint(protectedHeader.jwk as JWK)
  return {
    thumbprint,
    algorithm: protectedHeader.alg,
    id: `dpop ${thumbprint} ${jti}`,
    expiresAt: iat + maxAge + maxLead,
  }
}

// RFC 9449 §4.3: "ignoring any query and fragment parts"; normalised as RFC 3986 §6.2.2, §6.2.3 say
function plainUrl(text: string): string | undefined {
  const url = URL.parse(text)
  return url === null ? undefined : `${url.origin}${url.pathname}`
}

/**
 * Nonces that a server wants to see in proofs, so that none can be made long ahead. They need no memory: every instance that has the
 * key makes the same ones.
 *
 * @see RFC 9449 §8
 */
export class DpopNonces {
  /** @param seconds how long the newest is given out; the one before it still counts */
  constructor(
    private readonly key: HmacKey,
    private readonly seconds: number,
  ) {}

  current(now: number): string {
    return this.#at(Math.floor(now / this.seconds))
  }

  isFresh(nonce: string, now: number): boolean {
    const given = Buffer.from(nonce)
    const period = Math.floor(now / this.seconds)
    return [period, period - 1]
      .map(each => Buffer.from(this.#at(each)))
      .some(expected => expected.length === given.length && timingSafeEqual(expected, given))
  }

  #at(period: number): string {
    return this.key.of(`nonce ${period}`).slice(0, 22)
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
