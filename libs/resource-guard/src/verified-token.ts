import { type AuthorizationDetail, isForeignSubject } from '@grantlog/oauth'
import { errors, type JWTPayload } from 'jose'
import {
  type BoundTo,
  readActors,
  readBinding,
  readDetails,
  readLineage,
  readOptional,
  readText,
  readTime,
} from './claims.js'
import type { RevocableToken } from './revocation-set.js'

/** A token that is good now. A token that comes again may be the same object: it is frozen. */
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
  /**
   * Whose resources the token reaches: the company it was granted for, the person, the client itself; or, where an assertion of another
   * issuer was its grant (RFC 7523), the subject that the issuer named.
   */
  readonly owner: { readonly kind: 'person' | 'organization' | 'client' | 'foreign'; readonly id: string }
  /**
   * Who acts for the subject, by `sub`, the current actor first; none: nobody but it. Only the first may decide about access; those
   * after it are for information (RFC 8693 §4.1).
   */
  readonly actors: readonly string[]
  /** What the sender has proved to hold; undefined: whoever has the token may send it. */
  readonly boundTo: BoundTo | undefined
  /** Seconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** What stands in a token, and never changes. Whether it is good now is another question. */
export interface ReadToken {
  readonly token: VerifiedToken
  readonly keyId: string
  /** The tokens that it was made of. */
  readonly lineage: readonly RevocableToken[]
  /** Seconds: before, it is not good (RFC 7519 §4.1.5). */
  readonly notBefore: number | undefined
}

/** @throws JWTClaimValidationFailed */
export function readToken(payload: JWTPayload, keyId: string): ReadToken {
  const text = (name: string) => readText(payload, name)
  const optional = (name: string) => readOptional(payload, name)
  const subject = text('sub')
  const grantId = optional('grant')
  const organizationId = optional('organization')
  const scopes = text('scope').split(' ')
  const token: VerifiedToken = {
    tokenId: text('jti'),
    subject,
    clientId: text('client_id'),
    scopes: scopes.filter(scope => scope !== ''),
    authorizationDetails: orNone(readDetails(payload)),
    familyId: optional('family'),
    grantId,
    organizationId,
    owner:
      organizationId !== undefined
        ? { kind: 'organization', id: organizationId }
        : { kind: kindOf(subject, grantId), id: subject },
    actors: orNone(readActors(payload)),
    boundTo: readBinding(payload),
    issuedAt: readTime(payload, 'iat'),
    expiresAt: readTime(payload, 'exp'),
  }
  return {
    token,
    keyId,
    lineage: orNone(readLineage(payload)),
    notBefore: payload.nbf === undefined ? undefined : readTime(payload, 'nbf'),
  }
}

/**
 * @param now seconds
 * @throws JWTExpired, JWTClaimValidationFailed
 * @see RFC 7519 §4.1.4, §4.1.5
 */
export function assertTimely(
  { token: { issuedAt, expiresAt }, notBefore = 0 }: ReadToken,
  now: number,
  toleranceSeconds: number,
): void {
  if (expiresAt <= now - toleranceSeconds) throw new errors.JWTExpired('"exp" is over', {}, 'exp')
  for (const [name, time] of [
    ['iat', issuedAt],
    ['nbf', notBefore],
  ] as const) {
    if (time > now + toleranceSeconds)
      throw new errors.JWTClaimValidationFailed(`"${name}" lies in the future`, {}, name, 'check_failed')
  }
}

function kindOf(subject: string, grantId: string | undefined): 'person' | 'client' | 'foreign' {
  if (grantId !== undefined) return 'person'
  return isForeignSubject(subject) ? 'foreign' : 'client'
}

const none: readonly never[] = Object.freeze([])

/** Many tokens are remembered, and most have nothing here: they share it. */
function orNone<Item>(items: readonly Item[]): readonly Item[] {
  return items.length === 0 ? none : items
}
