import { hash, randomBytes } from 'node:crypto'
import { type BoundTo, type EventData, timeOrderedId } from '@grantlog/contracts'
import {
  type AccessTokenClaims,
  type ActClaim,
  type AuthorizationDetail,
  type Confirmation,
  formatScope,
  type HmacKey,
  type LineageClaim,
  sealAccessToken,
  signAccessToken,
} from '@grantlog/oauth'
import { actorsIn } from '../domain/exchange.js'
import type { TokenResponse } from './grant.js'
import type { TokenKey } from './signing.js'

/** An access token that is decided upon but not yet signed: its event's facts, and the text that they make. */
export interface Issuance {
  readonly facts: EventData<'token.issued'>
  /** Signs, or seals what is to be opaque, when it is called first. Nobody may be given it before the event is stored. */
  readonly sign: () => string
}

interface Issue {
  readonly issuer: string
  readonly key: TokenKey
  /** Seconds. */
  readonly now: number
  readonly lifetimeSeconds: number
  readonly grantType: EventData<'token.issued'>['grantType']
  readonly clientId: string
  readonly subject: string
  readonly audience: string
  readonly scopes: readonly string[]
  readonly details?: readonly AuthorizationDetail[]
  readonly boundTo: BoundTo | undefined
  readonly family?: {
    readonly familyId: string
    readonly grantId: string
    readonly grantExpiresAt: number | null
    readonly familyExpiresAt: number | null
    readonly organizationId: string | undefined
    readonly authTime: number
  }
  /** The issuer of the assertion that it is granted by (RFC 7523). */
  readonly assertedBy?: string
  /** What the token is made of, where it is exchanged for others (RFC 8693). */
  readonly exchange?: {
    readonly subjectTokenId: string
    readonly actorTokenId: string | null
    readonly act: ActClaim | undefined
    readonly lineage: readonly LineageClaim[]
  }
}

/**
 * Prepares an access token: RFC 9068, or opaque with the same claims (ADR 0017). It names every target that can revoke it, and outlives
 * neither its family nor its grant.
 */
export function issue(request: Issue): Issuance {
  const { issuer, key, now, family, exchange } = request
  const expiresAt = Math.min(
    now + request.lifetimeSeconds,
    family?.grantExpiresAt ?? Number.POSITIVE_INFINITY,
    family?.familyExpiresAt ?? Number.POSITIVE_INFINITY,
  )
  // in the order of its canonical form, which is then written the fast way
  const facts: EventData<'token.issued'> = {
    ...(request.assertedBy !== undefined && { assertedBy: request.assertedBy }),
    audience: request.audience,
    ...(request.boundTo && { boundTo: request.boundTo }),
    clientId: request.clientId,
    ...(exchange && {
      exchange: {
        actorTokenId: exchange.actorTokenId,
        actors: actorsIn(exchange.act),
        subjectTokenId: exchange.subjectTokenId,
      },
    }),
    expiresAt,
    familyId: family?.familyId ?? null,
    grantId: family?.grantId ?? null,
    grantType: request.grantType,
    issuedAt: now,
    keyId: key.kid,
    scopes: [...request.scopes],
    subject: request.subject,
    tokenId: timeOrderedId(),
  }
  const claims: AccessTokenClaims = {
    iss: issuer,
    sub: facts.subject,
    aud: facts.audience,
    client_id: facts.clientId,
    iat: facts.issuedAt,
    exp: facts.expiresAt,
    jti: facts.tokenId,
    scope: formatScope(facts.scopes),
    ...(request.details?.length && { authorization_details: request.details }),
    ...(family && { family: family.familyId, grant: family.grantId, auth_time: family.authTime }),
    ...(family?.organizationId !== undefined && { organization: family.organizationId }),
    ...(request.boundTo && { cnf: confirmation(request.boundTo) }),
    ...(exchange && { act: exchange.act, lineage: exchange.lineage }),
  }
  let token: string | undefined
  const sign = () => {
    token ??= 'privateKey' in key ? signAccessToken(claims, key) : sealAccessToken(claims, key)
    return token
  }
  return { facts, sign }
}

/** How a token names what it is bound to. @see RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1 */
export function confirmation({ kind, thumbprint }: BoundTo): Confirmation {
  return kind === 'dpop' ? { jkt: thumbprint } : { 'x5t#S256': thumbprint }
}

/** @see RFC 6749 §5.1, RFC 9449 §5 */
export function tokenType(boundTo: BoundTo | undefined): 'Bearer' | 'DPoP' {
  return boundTo?.kind === 'dpop' ? 'DPoP' : 'Bearer'
}

/** What a token is for, as the response says it. @see RFC 6749 §5.1, RFC 9396 §7 */
export function extent(
  scopes: readonly string[],
  details: readonly AuthorizationDetail[],
): Pick<TokenResponse, 'scope' | 'authorization_details'> {
  return {
    ...(scopes.length > 0 && { scope: formatScope(scopes) }),
    ...(details.length > 0 && { authorization_details: details }),
  }
}

export interface RefreshToken {
  readonly familyId: string
  readonly secret: string
  readonly hash: string
  /** As the client gets it. */
  readonly token: string
}

/** A refresh token names its family's stream; the event keeps only the hash of its 256 random bits. */
export function createRefreshToken(familyId: string): RefreshToken {
  return refreshTokenOf(familyId, randomBytes(32).toString('base64url'))
}

/**
 * The token that replaces another: always the same one, so that it can be given again without being stored. Nobody makes it of the
 * one before without the key.
 */
export function successorOfToken({ familyId, secret }: RefreshToken, key: HmacKey): RefreshToken {
  return refreshTokenOf(familyId, key.of(`${familyId}.${secret}`))
}

function refreshTokenOf(familyId: string, secret: string): RefreshToken {
  return { familyId, secret, token: `${familyId}.${secret}`, hash: hashRefreshSecret(secret) }
}

/** The refresh token, or undefined when it does not look like one. */
export function parseRefreshToken(token: string): RefreshToken | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/.exec(token)
  const [, familyId, secret] = match ?? []
  return familyId === undefined || secret === undefined ? undefined : refreshTokenOf(familyId, secret)
}

function hashRefreshSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
