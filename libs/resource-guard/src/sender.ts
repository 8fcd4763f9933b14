import type { X509Certificate } from 'node:crypto'
import {
  type ClientSigningAlgorithm,
  longestProof,
  OAuthError,
  type TokenScheme,
  thumbprintOf,
  verifyDpopProof,
} from '@grantlog/oauth'
import type { BoundTo } from './claims.js'

/** Who sends a request, beside the token itself. */
export interface Sender {
  /** The header `DPoP`. */
  readonly dpop?: string | undefined
  readonly method?: string | undefined
  /** Path and query of the URL. */
  readonly path?: string | undefined
  /** What the client proved to hold in TLS. */
  readonly certificate?: X509Certificate | undefined
}

/** A token that is sent by somebody who does not prove to be the one it is bound to. */
export class NotItsSender extends Error {
  constructor(
    readonly code: 'invalid_token' | 'invalid_dpop_proof',
    message: string,
  ) {
    super(message)
  }
}

/** Whether whoever sends a token holds what it is bound to. Remembers proofs while they could be sent again, in this process. */
export class SenderProofs {
  #recent = new Set<string>()
  #before = new Set<string>()
  #turnedAt = 0

  /**
   * @param baseUrl under which clients reach this server; undefined: it takes no proofs
   * @param algorithms in which proofs may be signed
   */
  constructor(
    private readonly baseUrl: string | undefined,
    private readonly algorithms: readonly ClientSigningAlgorithm[],
  ) {}

  /**
   * @param now seconds
   * @throws NotItsSender
   * @see RFC 9449 §7, RFC 8705 §3
   */
  async assert(
    { boundTo, scheme, token }: { boundTo: BoundTo | undefined; scheme: TokenScheme; token: string },
    sender: Sender,
    now: number,
  ): Promise<void> {
    // RFC 9449 §7.2: a bound token "MUST NOT" be taken as one that is not; nor the other way round
    if ((boundTo?.kind === 'dpop') !== (scheme === 'DPoP')) {
      const right =
        scheme === 'DPoP'
          ? 'not bound to a key: send it as Bearer'
          : 'bound to a key: send it as DPoP, with a proof'
      throw new NotItsSender('invalid_token', `The access token is ${right}.`)
    }
    if (boundTo?.kind === 'dpop') await this.#assertProof(boundTo, token, sender, now)
    if (boundTo?.kind === 'certificate') {
      const { certificate } = sender
      if (certificate === undefined || thumbprintOf(certificate) !== boundTo.thumbprint)
        throw new NotItsSender(
          'invalid_token',
          'The access token is bound to a certificate that the sender did not prove to hold.',
        )
    }
  }

  async #assertProof(boundTo: BoundTo, token: string, { dpop, method, path }: Sender, now: number) {
    if (this.baseUrl === undefined)
      throw new NotItsSender('invalid_token', 'This API takes no tokens that are bound to a key.')
    if (dpop === undefined || method === undefined || path === undefined)
      throw new NotItsSender('invalid_dpop_proof', 'The DPoP header is missing.')
    const url = new URL(path, this.baseUrl).href
    const { algorithms } = this
    const request = { method, urls: [url], now, algorithms, accessToken: token }
    const proof = await verifyDpopProof(dpop, request).catch((error: unknown) => {
      throw error instanceof OAuthError ? new NotItsSender('invalid_dpop_proof', error.description) : error
    })
    // RFC 9449 §7.1: "the public key to which the access token is bound MUST match the public key from the DPoP proof"
    if (proof.thumbprint !== boundTo.thumbprint)
      throw new NotItsSender(
        'invalid_token',
        'The access token is bound to another key than that of the proof.',
      )
    if (!this.#isFirst(proof.id, now))
      throw new NotItsSender('invalid_dpop_proof', 'The DPoP proof was used before.')
  }

  /** Two generations: a proof is remembered for as long as it could be sent again, and not much longer. */
  #isFirst(id: string, now: number): boolean {
    if (now >= this.#turnedAt + longestProof) {
      this.#before = now >= this.#turnedAt + 2 * longestProof ? new Set() : this.#recent
      this.#recent = new Set()
      this.#turnedAt = now
    }
    if (this.#recent.has(id) || this.#before.has(id)) return false
    this.#recent.add(id)
    return true
  }
}
