import { type AuthorizationDetail, OAuthError, readBearerToken } from '@grantlog/oauth'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { readActors, readDetails, readLineage, readOptional, readText } from './claims.js'
import type { Freshness } from './freshness.js'
import { GuardError } from './guard-error.js'
import type { KeySource } from './keys.js'
import type { RevocableToken, RevocationSet } from './revocation-set.js'

/** What to do with a good token while the revocations heard are too old to be sure of it. */
export type WhenStale =
  | 'refuse'
  | { readonly introspect: (token: string) => Promise<boolean> }
  | { readonly allowForSeconds: number }

export interface GuardOptions {
  /** The `iss` of every token, exactly. */
  readonly issuer: string
  /** This resource server's name: a token must have it in `aud`. */
  readonly audience: string
  readonly keys: KeySource
  readonly revocations: RevocationSet
  readonly freshness: Freshness
  /** Revocations heard longer ago than this are stale. Default 10. */
  readonly maxStalenessSeconds?: number
  /** Default: refuse, with 503. */
  readonly whenStale?: WhenStale
  /** How far clocks may differ. Default 5. */
  readonly clockToleranceSeconds?: number
  /** Where this resource's metadata is (RFC 9728), told in every challenge. */
  readonly resourceMetadata?: string
  readonly now?: () => Date
}

/** A token that is good now. */
export interface VerifiedToken {
  readonly tokenId: string
  readonly subject: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** What it is for beyond its scopes (RFC 9396); each as its type at this API has it. */
  readonly authorizationDetails: readonly AuthorizationDetail[]
  readonly familyId: string | undefined
  readonly grantId: string | undefined
  readonly organizationId: string | undefined
  /** Whose resources the token reaches: the company it was granted for, the person, or the client itself. */
  readonly owner: { readonly kind: 'person' | 'organization' | 'client'; readonly id: string }
  /**
   * Who acts for the subject, by `sub`, the current actor first; none: nobody but it. Only the first may decide about access; those
   * after it are for information (RFC 8693 §4.1).
   */
  readonly actors: readonly string[]
  /** Seconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

const maxTokenLength = 8192

/** Decides about requests, offline: signature, issuer, audience, time, revocation, scope. No call per request. */
export class Guard {
  readonly #now: () => Date

  constructor(private readonly options: GuardOptions) {
    this.#now = options.now ?? (() => new Date())
  }

  /**
   * @param request.authorization the header of that name
   * @param request.tokenInQuery whether the URL has a parameter `access_token`; it is never read
   * @param need.scope all of these are needed
   * @throws GuardError, which knows how to be answered
   */
  async verify(
    request: { readonly authorization: string | undefined; readonly tokenInQuery?: boolean },
    need: { readonly scope?: readonly string[] } = {},
  ): Promise<VerifiedToken> {
    const text = this.#read(request.authorization)
    // RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request"; §3.1: invalid_request
    if (request.tokenInQuery === true) {
      throw this.#error({
        status: 400,
        code: 'invalid_request',
        description:
          'An access token belongs in the Authorization header only: the parameter access_token is refused.',
      })
    }
    const { token, keyId, lineage } = await this.#verifySignature(text)
    const revokedBy = this.options.revocations.revokedBy({ ...token, keyId, lineage })
    if (revokedBy !== undefined)
      throw this.#invalid('The access token has been revoked.', `by its ${revokedBy}`)
    await this.#assertFresh(text)
    const missing = (need.scope ?? []).filter(scope => !token.scopes.includes(scope))
    if (missing.length > 0) throw this.#insufficient(need.scope ?? [], missing)
    return token
  }

  /** Ready once all revocations that can matter were read; then: how stale is what we know? */
  health(): {
    ok: boolean
    stalenessSeconds: number | null
    sources: Record<string, number | null>
    remembered: number
  } {
    const { freshness, revocations, maxStalenessSeconds = 10 } = this.options
    const now = this.#now()
    const staleness = freshness.stalenessSeconds(now)
    return {
      ok: staleness <= maxStalenessSeconds,
      stalenessSeconds: Number.isFinite(staleness) ? staleness : null,
      sources: freshness.report(now),
      remembered: revocations.size,
    }
  }

  #read(authorization: string | undefined): string {
    try {
      const token = readBearerToken(authorization)
      if (token !== undefined && token.length <= maxTokenLength) return token
      if (token !== undefined) throw this.#invalid('The access token is too long.')
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

  /** RFC 9068 §4, step by step; what is wrong goes to the log, not into the answer. */
  async #verifySignature(
    text: string,
  ): Promise<{ token: VerifiedToken; keyId: string; lineage: readonly RevocableToken[] }> {
    const { issuer, audience, keys, clockToleranceSeconds = 5 } = this.options
    try {
      const { payload, protectedHeader } = await jwtVerify(
        text,
        async ({ kid = '' }) => {
          const key = await keys(kid)
          if (key === undefined) throw new errors.JWKSNoMatchingKey()
          return key
        },
        {
          typ: 'at+jwt', // "MUST verify that the 'typ' header value is 'at+jwt'"
          algorithms: ['ES256'], // "MUST reject any JWT in which the value of 'alg' is 'none'"
          issuer, // "MUST exactly match the value of the 'iss' claim"
          audience, // "MUST validate that the 'aud' claim contains a resource indicator value"
          clockTolerance: clockToleranceSeconds,
          currentDate: this.#now(), // "The current time MUST be before the time represented by the 'exp' claim"
          requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti', 'scope'],
        },
      )
      return {
        token: readClaims(payload, this.#now(), clockToleranceSeconds),
        keyId: protectedHeader.kid ?? '',
        lineage: readLineage(payload),
      }
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) {
        throw this.#error({
          status: 503,
          code: 'temporarily_unavailable',
          description: 'The issuer’s keys can not be read at the moment.',
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

  async #assertFresh(text: string): Promise<void> {
    const { freshness, maxStalenessSeconds = 10, whenStale = 'refuse' } = this.options
    const staleness = freshness.stalenessSeconds(this.#now())
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

function readClaims(payload: JWTPayload, now: Date, toleranceSeconds: number): VerifiedToken {
  const text = (name: string) => readText(payload, name)
  const optional = (name: string) => readOptional(payload, name)
  const issuedAt = payload.iat ?? 0
  if (issuedAt > now.getTime() / 1000 + toleranceSeconds) {
    throw new errors.JWTClaimValidationFailed('"iat" lies in the future', payload, 'iat', 'check_failed')
  }
  const subject = text('sub')
  const clientId = text('client_id')
  const grantId = optional('grant')
  const organizationId = optional('organization')
  return {
    tokenId: text('jti'),
    subject,
    clientId,
    scopes: text('scope')
      .split(' ')
      .filter(scope => scope !== ''),
    familyId: optional('family'),
    grantId,
    organizationId,
    owner:
      organizationId !== undefined
        ? { kind: 'organization', id: organizationId }
        : { kind: grantId === undefined ? 'client' : 'person', id: subject },
    authorizationDetails: readDetails(payload),
    actors: readActors(payload),
    issuedAt,
    expiresAt: payload.exp ?? 0,
  }
}
