import type { EventData } from '@grantlog/contracts'
import { type ActClaim, isSubset, type LineageClaim } from '@grantlog/oauth'

/** What an operator lets a client do by token exchange. */
export type ExchangePolicy = NonNullable<EventData<'client.registered'>['tokenExchange']>

/** A client that exchanges tokens. */
export interface Exchanger {
  readonly clientId: string
  readonly policy: ExchangePolicy
}

/** A token that is presented: its claims. */
export interface PresentedToken extends LineageClaim {
  readonly aud: string
  /** Space-delimited. */
  readonly scope: string
  readonly act?: ActClaim | undefined
  /** What it was itself made of. */
  readonly lineage?: readonly LineageClaim[] | undefined
}

/** More would make tokens too long for headers; and who can still say what was meant at the beginning? */
export const longestLineage = 5

/** A client exchanges tokens that it got itself, and those that reach it as an API: whose audience a rule of its names. */
export function mayExchange({ clientId, policy }: Exchanger, subject: PresentedToken): boolean {
  return subject.client_id === clientId || policy.rules.some(({ from }) => from === subject.aud)
}

/**
 * The scopes that the client may get at an API for the token; undefined: it may not reach the API with it. At the API that the token
 * is for, never more than it has.
 */
export function reachableScopes(
  { clientId, policy }: Exchanger,
  subject: PresentedToken,
  audience: string,
): readonly string[] | undefined {
  const held = subject.scope.split(' ')
  const same = audience === subject.aud
  if (same && subject.client_id === clientId) return held
  const rules = policy.rules.filter(({ from, to }) => from === subject.aud && to === audience)
  if (rules.length === 0) return undefined
  const scopes = rules
    .filter(({ subjectScopes }) => isSubset(subjectScopes, held))
    .flatMap(rule => rule.scopes)
    .filter(scope => !same || held.includes(scope))
  return [...new Set(scopes)]
}

/**
 * Who acts for the subject by the new token: whoever the actor token names, else the client. Actors are added and never taken away. A
 * client stays unnamed where nothing changes hands, or where it may impersonate.
 * @see RFC 8693 §1.1, §4.1
 */
export function actorOf(
  { clientId, policy }: Exchanger,
  subject: PresentedToken,
  actor: PresentedToken | undefined,
): ActClaim | undefined {
  const before = subject.act && { act: subject.act }
  if (actor !== undefined) return { sub: actor.sub, ...before }
  if (subject.client_id === clientId || policy.impersonate) return subject.act
  return { sub: clientId, ...before }
}

/** The actors by their ids, the current one first. */
export function actorsIn(act: ActClaim | undefined): string[] {
  return act === undefined ? [] : [act.sub, ...actorsIn(act.act)]
}

/** What a token is made of when these are exchanged for it: each of them, and what they were made of. */
export function lineageOf(...presented: readonly (PresentedToken | undefined)[]): LineageClaim[] {
  return presented.flatMap(token => (token === undefined ? [] : [...(token.lineage ?? []), namesOf(token)]))
}

/** Every name by which the token can be revoked. */
export function namesOf({
  jti,
  sub,
  client_id,
  iat,
  kid,
  family,
  grant,
  organization,
}: LineageClaim): LineageClaim {
  return { jti, sub, client_id, iat, kid, family, grant, organization }
}
