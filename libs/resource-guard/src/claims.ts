import type { AuthorizationDetail } from '@grantlog/oauth'
import { errors, type JWTPayload } from 'jose'
import type { RevocableToken } from './revocation-set.js'

/** RFC 8693 §4.1: the current actor, and nested in it those before. */
export function readActors({ act }: JWTPayload): string[] {
  if (act === undefined) return []
  const claims = readObject(act, 'act')
  return [readText(claims, 'sub'), ...readActors(claims)]
}

/** RFC 9396 §9.1: what the token is for beyond its scopes. */
export function readDetails({ authorization_details: details }: JWTPayload): AuthorizationDetail[] {
  if (details === undefined) return []
  if (!Array.isArray(details)) throw invalidClaim('authorization_details')
  return details.map(each => {
    const detail = readObject(each, 'authorization_details')
    return { ...detail, type: readText(detail, 'type') }
  })
}

/** What the token was made of. A lineage that can not be read is of no valid token: what revokes it would go unseen. */
export function readLineage({ lineage }: JWTPayload): RevocableToken[] {
  if (lineage === undefined) return []
  if (!Array.isArray(lineage)) throw invalidClaim('lineage')
  return lineage.map(each => {
    const claims = readObject(each, 'lineage')
    return {
      tokenId: readText(claims, 'jti'),
      familyId: readOptional(claims, 'family'),
      grantId: readOptional(claims, 'grant'),
      clientId: readText(claims, 'client_id'),
      subject: readText(claims, 'sub'),
      organizationId: readOptional(claims, 'organization'),
      keyId: readText(claims, 'kid'),
      issuedAt: readTime(claims, 'iat'),
    }
  })
}

/** What a token is bound to: whoever sends it must prove to hold the key or the certificate. */
export interface BoundTo {
  readonly kind: 'dpop' | 'certificate'
  /** SHA-256 of the key (RFC 7638) or the certificate, base64url. */
  readonly thumbprint: string
}

/** A confirmation that can not be read is of no valid token: nobody could prove it. @see RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1 */
export function readBinding({ cnf }: JWTPayload): BoundTo | undefined {
  if (cnf === undefined) return undefined
  const claims = readObject(cnf, 'cnf')
  const [method, ...more] = Object.keys(claims)
  if (more.length > 0) throw invalidClaim('cnf')
  switch (method) {
    case 'jkt':
      return { kind: 'dpop', thumbprint: readText(claims, method) }
    case 'x5t#S256':
      return { kind: 'certificate', thumbprint: readText(claims, method) }
    default:
      throw invalidClaim('cnf')
  }
}

/** @throws JWTClaimValidationFailed, as every reader here */
export function readText(claims: JWTPayload, name: string): string {
  const value = claims[name]
  if (typeof value !== 'string') throw invalidClaim(name, claims)
  return value
}

export function readOptional(claims: JWTPayload, name: string): string | undefined {
  return claims[name] === undefined ? undefined : readText(claims, name)
}

export function readTime(claims: JWTPayload, name: 'iat' | 'nbf' | 'exp'): number {
  const value: unknown = claims[name]
  if (typeof value !== 'number') throw invalidClaim(name, claims)
  return value
}

function readObject(value: unknown, name: string): JWTPayload {
  if (typeof value !== 'object' || value === null) throw invalidClaim(name)
  return value as JWTPayload
}

const invalidClaim = (name: string, claims: JWTPayload = {}) =>
  new errors.JWTClaimValidationFailed(`"${name}" has another type`, claims, name, 'invalid')
