import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { EventData } from '@grantlog/contracts'
import { type AccessTokenClaims, formatScope, signAccessToken } from '@grantlog/oauth'
import type { SigningKey } from '../keys/signing-keys.js'

/** An access token that is decided upon but not yet signed: its event's facts, and the JWT that they make. */
export interface Issuance {
  readonly facts: EventData<'token.issued'>
  /** Signs; call it once the event is stored. */
  sign(): string
}

interface Issue {
  readonly issuer: string
  readonly key: SigningKey
  /** Seconds. */
  readonly now: number
  readonly lifetimeSeconds: number
  readonly grantType: EventData<'token.issued'>['grantType']
  readonly clientId: string
  readonly subject: string
  readonly audience: string
  readonly scopes: readonly string[]
  readonly family?: {
    readonly familyId: string
    readonly grantId: string
    readonly grantExpiresAt: number | null
    readonly organizationId: string | undefined
    readonly authTime: number
  }
}

/** Prepares an RFC 9068 access token. It names every target that can revoke it, and never outlives its grant. */
export function issue(request: Issue): Issuance {
  const { issuer, key, now, family } = request
  const expiresAt = Math.min(
    now + request.lifetimeSeconds,
    family?.grantExpiresAt ?? Number.POSITIVE_INFINITY,
  )
  const facts: EventData<'token.issued'> = {
    tokenId: randomUUID(),
    grantType: request.grantType,
    clientId: request.clientId,
    familyId: family?.familyId ?? null,
    grantId: family?.grantId ?? null,
    subject: request.subject,
    audience: request.audience,
    scopes: [...request.scopes],
    keyId: key.kid,
    issuedAt: now,
    expiresAt,
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
    ...(family && { family: family.familyId, grant: family.grantId, auth_time: family.authTime }),
    ...(family?.organizationId !== undefined && { organization: family.organizationId }),
  }
  return { facts, sign: () => signAccessToken(claims, key) }
}

/** A refresh token names its family's stream; the event keeps only the hash of its 256 random bits. */
export function createRefreshToken(familyId: string): { token: string; hash: string } {
  const secret = randomBytes(32).toString('base64url')
  return { token: `${familyId}.${secret}`, hash: hashRefreshSecret(secret) }
}

/** The family and the hash behind a refresh token, or undefined when it does not look like one. */
export function parseRefreshToken(token: string): { familyId: string; hash: string } | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/.exec(token)
  const [, familyId, secret] = match ?? []
  return familyId === undefined || secret === undefined
    ? undefined
    : { familyId, hash: hashRefreshSecret(secret) }
}

function hashRefreshSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
