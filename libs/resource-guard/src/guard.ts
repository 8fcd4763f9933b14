import type { X509Certificate } from 'node:crypto'
import {
  isOpaqueToken,
  OAuthError,
  openAccessToken,
  type Profile,
  readAccessTokenHeader,
  rulesOf,
  type SigningAlgorithm,
  signingAlgorithms,
  type TokenScheme,
  VerifiedTokens,
} from '@grantlog/oauth'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { Freshness } from './freshness.js'
import { GuardError } from './guard-error.js'
import { type Introspect, Introspections } from './introspection.js'
import { isKeyFor, type KeySource, nodeKeyOf } from './keys.js'
import type { RevocationSet } from './revocation-set.js'
import { NotItsSender, type Sender, SenderProofs } from './sender.js'
import { assertTimely, type ReadToken, readToken, type VerifiedToken } from './verified-token.js'

/** What to do with a good token while the revocations heard are too old to be sure of it. */
export type WhenStale =
  | 'refuse'
  | { readonly introspect: (token: string) => Promise<boolean> }
  | { readonly allowForSeconds: number }

/** How old what is known of revocations may be, and what happens then. */
export interface StalenessPolicy {
  /** Revocations heard longer ago than this are stale. Default 10. */
  readonly maxStalenessSeconds?: number
  /** Default: refuse, with 503. */
  readonly whenStale?: WhenStale
}

/** What is needed here. Its policy goes before the guard's, each part of it. */
export interface Need extends StalenessPolicy {
  /** All of these. */
  readonly scope?: readonly string[]
}

/** A request, as far as it is decided about. */
export interface TokenRequest extends Sender {
  /** The header of that name. */
  readonly authorization: string | undefined
  /** Whether the URL has a parameter `access_token`; it is never read. */
  readonly tokenInQuery?: boolean
}

export interface GuardOptions extends StalenessPolicy {
  /** The `iss` of every token, exactly. */
  readonly issuer: string
  /** This resource server's name: a token must have it in `aud`. */
  readonly audience: string
  readonly keys: KeySource
  /** What tokens may be signed with. Default: ES256, EdDSA, PS256 and RS256; with a profile, those that it allows. */
  readonly algorithms?: readonly SigningAlgorithm[]
  /**
   * Asks about opaque tokens, for an API that is registered with `access_token_format: "opaque"`. Default: they are refused. An answer
   * is kept for `cacheSeconds`; a revocation counts at once all the same.
   */
  readonly introspect?: Introspect
  /** Default 60. */
  readonly cacheSeconds?: number
  readonly revocations: RevocationSet
  readonly freshness: Freshness
  /**
   * How many tokens are remembered, so that one that comes again is not verified again (RFC 9068 §4). Time, revocation, sender and scope
   * are decided each time all the same. Default 10,000; 0: none.
   */
  readonly cachedTokens?: number
  /** How far clocks may differ. Default 5. */
  readonly clockToleranceSeconds?: number
  /** Where this resource's metadata is (RFC 9728), told in every challenge. */
  readonly resourceMetadata?: string
  /**
   * Scheme and host under which clients reach this API: DPoP proofs name its URLs (RFC 9449 §4.2). Default: those of the audience,
   * where it is an http URL; otherwise tokens that are bound to a key are refused.
   */
  readonly baseUrl?: string
  /** Where a proxy ends TLS: what it tells of the client's certificate. Default: that of the TLS connection to this process. */
  readonly certificateOf?: (request: CertificateCarrier) => X509Certificate | undefined
  /** Whether tokens must be bound to a key or a certificate. Default: false. */
  readonly boundTokensOnly?: boolean
  /**
   * The profile that the API is registered with. `fapi2`: tokens must be bound, and neither they nor DPoP proofs may be signed with RS256.
   * Default: none.
   */
  readonly profile?: Profile
  readonly now?: () => Date
}

/** A request as far as it can tell of the client's certificate. */
export interface CertificateCarrier {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

const maxTokenLength = 8192

/**
 * Decides about requests: signature, issuer, audience, time, revocation, scope. Offline but for opaque tokens, each of which is asked
 * about once a minute at most.
 */
export class Guard {
  readonly #now: () => Date
  readonly #proofs: SenderProofs
  readonly #algorithms: SigningAlgorithm[]
  readonly #boundTokensOnly: boolean
  readonly #introspections: Introspections | undefined
  readonly #signed: VerifiedTokens<ReadToken>

  /** @throws TypeError for an algorithm with which no access token is signed, or that the profile does not allow */
  constructor(private readonly options: GuardOptions) {
    this.#now = options.now ?? (() => new Date())
    const rules = rulesOf(options.profile ?? null)
    this.#boundTokensOnly = rules.boundTokensOnly || options.boundTokensOnly === true
    this.#proofs = new SenderProofs(options.baseUrl ?? originOf(options.audience), rules.algorithms)
    if (options.introspect)
      this.#introspections = new Introspections(options.introspect, options.cacheSeconds ?? 60)
    this.#signed = new VerifiedTokens({
      verify: text => this.#verified(text),
      keyOf: options.keys,
      atMost: options.cachedTokens ?? 10_000,
    })
    const allowed = signingAlgorithms.filter(algorithm => rules.algorithms.includes(algorithm))
    this.#algorithms = [...(options.algorithms ?? allowed)]
    const unknown = this.#algorithms.find(algorithm => !allowed.includes(algorithm))
    if (unknown !== undefined || this.#algorithms.length === 0)
      throw new TypeError(`algorithms must be some of ${allowed.join(', ')}, not “${unknown ?? ''}”`)
  }

  /** @throws GuardError, which knows how to be answered */
  async verify(request: TokenRequest, need: Need = {}): Promise<VerifiedToken> {
    const sent = this.#readHeader(request.authorization)
    try {
      return await this.#decide(sent, request, need)
    } catch (error) {
      throw error instanceof GuardError ? error.answering(sent.scheme) : error
    }
  }

  async #decide(
    { scheme, token: text }: { scheme: TokenScheme; token: string },
    request: TokenRequest,
    need: Need,
  ): Promise<VerifiedToken> {
    // RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request"; §3.1: invalid_request
    if (request.tokenInQuery === true) {
      throw this.#error({
        status: 400,
        code: 'invalid_request',
        description:
          'An access token belongs in the Authorization header only: the parameter access_token is refused.',
      })
    }
    const { token, keyId, lineage } = await this.#read(text)
    const revokedBy = this.options.revocations.revokedBy({ ...token, keyId, lineage })
    if (revokedBy !== undefined)
      throw this.#invalid('The access token has been revoked.', `by its ${revokedBy}`)
    await this.#assertFresh(text, need)
    await this.#assertSender(token, scheme, text, request)
    const { scope = [] } = need
    const missing = scope.filter(each => !token.scopes.includes(each))
    if (missing.length > 0) throw this.#insufficient(scope, missing)
    return token
  }

  /** The certificate that the client of a request proved to hold. */
  certificateOf(request: CertificateCarrier): X509Certificate | undefined {
    return (this.options.certificateOf ?? fromTls)(request)
  }

  /** Ready once all revocations that can matter were read; then: how stale is what we know? */
  health(): {
    ok: boolean
    stalenessSeconds: number | null
    sources: Record<string, number | null>
    /** Targets of revocations. */
    remembered: number
    /** Tokens that are not verified again. */
    cached: number
  } {
    const { freshness, revocations, maxStalenessSeconds = 10 } = this.options
    const now = this.#now()
    const staleness = freshness.stalenessSeconds(now)
    return {
      ok: staleness <= maxStalenessSeconds,
      stalenessSeconds: Number.isFinite(staleness) ? staleness : null,
      sources: freshness.report(now),
      remembered: revocations.size,
      cached: this.#signed.size,
    }
  }

  #readHeader(authorization: string | undefined): { scheme: TokenScheme; token: string } {
    try {
      const read = readAccessTokenHeader(authorization)
      if (read !== undefined && read.token.length <= maxTokenLength) return read
      if (read !== undefined) throw this.#invalid('The access token is too long.')
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      throw this.#error({ status: 400, code: 'invalid_request', description: error.description })
    }
    // RFC 6750 §3.1: a request without authentication gets no error code
    throw this.#error({
      status: 401,
      description: 'An access token is needed: Authorization: Bearer <token>.',
    })
  }

  /** What is wrong goes to the log, not into the answer. */
  async #read(text: string): Promise<ReadToken> {
    try {
      const read = isOpaqueToken(text) ? await this.#asked(text) : await this.#signed.open(text)
      if (read === undefined) throw new errors.JWTInvalid('not active')
      assertTimely(read, this.#seconds(), this.options.clockToleranceSeconds ?? 5)
      return read
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) {
        throw this.#error({
          status: 503,
          code: 'temporarily_unavailable',
          description: 'The issuer can not be asked for what the token needs at the moment.',
          detail: String(error),
        })
      }
      const expired = error instanceof errors.JWTExpired
      throw this.#invalid(
        expired ? 'The access token has expired.' : 'The access token is not valid.',
        error.message,
      )
    }
  }

  /** RFC 9068 §4. */
  async #verified(text: string): Promise<Opened> {
    return (await this.#openedAsIssued(text)) ?? (await this.#openedByJose(text))
  }

  /**
   * A good token that is written as our issuer writes them, to the letter of its header: in half of the time. Of whatever else, also of
   * what is wrong with it, undefined: jose is to say.
   */
  async #openedAsIssued(text: string): Promise<Opened | undefined> {
    const { issuer, audience, keys } = this.options
    let key: Awaited<ReturnType<KeySource>>
    const opened = await openAccessToken(text, async kid => {
      key = await keys(kid)
      const known = key && nodeKeyOf(key)
      return known && this.#algorithms.includes(known.algorithm) ? known : undefined
    })
    if (opened === undefined) return undefined
    const payload: JWTPayload = Object(opened.claims)
    if (payload.iss !== issuer || ![payload.aud].flat().includes(audience)) return undefined
    return { content: readToken(payload, opened.kid), keyId: opened.kid, key }
  }

  /** Step by step, however it is written. */
  async #openedByJose(text: string): Promise<Opened> {
    const { issuer, audience, keys, clockToleranceSeconds = 5 } = this.options
    let key: Awaited<ReturnType<KeySource>>
    const { payload, protectedHeader } = await jwtVerify(
      text,
      async ({ kid = '', alg }) => {
        key = await keys(kid)
        if (key === undefined || !isKeyFor(alg, key)) throw new errors.JWKSNoMatchingKey()
        return key
      },
      {
        typ: 'at+jwt', // "MUST verify that the 'typ' header value is 'at+jwt'"
        algorithms: this.#algorithms, // "MUST reject any JWT in which the value of 'alg' is 'none'"
        issuer, // "MUST exactly match the value of the 'iss' claim"
        audience, // "MUST validate that the 'aud' claim contains a resource indicator value"
        clockTolerance: clockToleranceSeconds,
        currentDate: this.#now(), // "The current time MUST be before the time represented by the 'exp' claim"
        requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti', 'scope'],
      },
    )
    const { kid = '' } = protectedHeader
    return { content: readToken(payload, kid), keyId: kid, key }
  }

  /** No key of an issuer signed what was sealed: that it is active is its word. */
  async #asked(text: string): Promise<ReadToken | undefined> {
    const { issuer, audience } = this.options
    const payload = await this.#introspections?.claimsOf(text, this.#seconds())
    if (payload === undefined) return undefined
    // RFC 7662 §4: whether it is for this resource, and still good, is for the resource to see too
    if (payload.iss !== issuer) throw anotherClaim('iss', payload)
    if (![payload.aud].flat().includes(audience)) throw anotherClaim('aud', payload)
    return readToken(payload, '')
  }

  async #assertSender(
    { boundTo }: VerifiedToken,
    scheme: TokenScheme,
    token: string,
    sender: Sender,
  ): Promise<void> {
    if (boundTo === undefined && this.#boundTokensOnly)
      throw this.#invalid('This API takes only tokens that are bound to a key or a certificate.')
    try {
      await this.#proofs.assert({ boundTo, scheme, token }, sender, this.#seconds())
    } catch (error) {
      if (!(error instanceof NotItsSender)) throw error
      throw this.#error({ status: 401, code: error.code, description: error.message })
    }
  }

  async #assertFresh(text: string, need: StalenessPolicy): Promise<void> {
    const { options } = this
    const {
      maxStalenessSeconds = options.maxStalenessSeconds ?? 10,
      whenStale = options.whenStale ?? 'refuse',
    } = need
    const staleness = options.freshness.stalenessSeconds(this.#now())
    if (staleness <= maxStalenessSeconds) return
    if (
      whenStale !== 'refuse' &&
      'allowForSeconds' in whenStale &&
      staleness <= maxStalenessSeconds + whenStale.allowForSeconds
    )
      return
    if (whenStale !== 'refuse' && 'introspect' in whenStale) {
      const active = await whenStale.introspect(text).catch(() => undefined)
      if (active === true) return
      if (active === false) throw this.#invalid('The access token has been revoked.', 'by introspection')
    }
    throw this.#error({
      status: 503,
      code: 'temporarily_unavailable',
      description: 'Revocations have not been heard for too long to accept a token.',
      detail: `${staleness} s`,
    })
  }

  #seconds(): number {
    return this.#now().getTime() / 1000
  }

  #invalid(description: string, detail?: string): GuardError {
    return this.#error({
      status: 401,
      code: 'invalid_token',
      description,
      ...(detail !== undefined && { detail }),
    })
  }

  #insufficient(scope: readonly string[], missing: readonly string[]): GuardError {
    return this.#error({
      status: 403,
      code: 'insufficient_scope',
      description: `The access token lacks the scope ${missing.join(' ')}.`,
      scope,
    })
  }

  #error(refusal: ConstructorParameters<typeof GuardError>[0]): GuardError {
    return new GuardError(refusal, this.options.resourceMetadata)
  }
}

interface Opened {
  readonly content: ReadToken
  readonly keyId: string
  readonly key: unknown
}

function fromTls({ socket }: CertificateCarrier): X509Certificate | undefined {
  return 'getPeerX509Certificate' in socket
    ? (socket.getPeerX509Certificate as () => X509Certificate | undefined)()
    : undefined
}

/** The scheme and host of a URL; undefined for other URIs. */
function originOf(audience: string): string | undefined {
  return /^https?:/i.test(audience) ? URL.parse(audience)?.origin : undefined
}

const anotherClaim = (name: string, payload: JWTPayload) =>
  new errors.JWTClaimValidationFailed(`"${name}" is another`, payload, name)
