import { createHash } from 'node:crypto'
import { type AssertionUse, type ClientAssertion, readAssertion } from './client-assertion.js'
import { invalidGrant } from './errors.js'

/** @see RFC 7523 §2.1 */
export const jwtBearerGrantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** An assertion that says what it must; whether its issuer is trusted, and signed it, is another question. */
export interface AuthorizationAssertion extends Omit<ClientAssertion, 'clientId'> {
  readonly issuer: string
  readonly subject: string
}

const grant: AssertionUse = {
  name: 'assertion',
  typ: 'authorization-grant+jwt', // draft-ietf-oauth-rfc7523bis §3
  refuse: description => invalidGrant(description), // RFC 7523 §3.1
}

/**
 * What an assertion that is used as an authorization grant says, checked.
 *
 * @param context.issuer of this server: the one audience that an assertion may have
 * @param context.now seconds
 * @throws OAuthError `invalid_grant` that says what the assertion lacks
 * @see RFC 7523 §2.1, §3
 */
export function readAuthorizationAssertion(
  jwt: string,
  context: { issuer: string; now: number },
): AuthorizationAssertion {
  const { claims, ...checked } = readAssertion(jwt, grant, context)
  const { iss, sub } = claims
  // RFC 7523 §3: "MUST contain an "iss" (issuer) claim", "MUST contain a "sub" (subject) claim"
  if (typeof iss !== 'string' || iss === '')
    throw invalidGrant('The assertion does not name its issuer in iss.')
  if (typeof sub !== 'string' || sub === '')
    throw invalidGrant('The assertion does not name its subject in sub.')
  return { ...checked, issuer: iss, subject: sub }
}

const foreignPrefix = 'jwt:'

/** Whether the `sub` of a token is a subject that another issuer names. */
export function isForeignSubject(subject: string): boolean {
  return subject.startsWith(foreignPrefix)
}

/**
 * The `sub` of tokens for a subject that another issuer names. It is the same for the same subject, and no other issuer's subject, no
 * account and no client has it: their ids hold no colon. A name may say who a person is, and tokens are in the log for ever: so it is
 * a hash.
 */
export function foreignSubject(issuer: string, subject: string): string {
  return `${foreignPrefix}${createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url')}`
}
