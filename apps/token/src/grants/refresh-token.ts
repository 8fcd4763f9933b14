import { type BoundTo, timeOrderedId } from '@grantlog/contracts'
import type { Allowed, Known } from '@grantlog/eventing'
import {
  invalidGrant,
  invalidScope,
  missingFrom,
  narrowedDetails,
  parseScope,
  quoteScope,
  rulesOf,
} from '@grantlog/oauth'
import {
  causeOfEnd,
  type FamilyFacts,
  type FamilyState,
  family,
  hasExpired,
  type Refresh,
  refreshEnd,
  successorOf,
} from '../domain/family.js'
import { type Revocable, unlessRevoked } from '../projections/revocations.projection.js'
import type { TokenServices } from '../token-services.js'
import { findDetails } from './family-details.js'
import type { Grant, TokenRequest, TokenResponse } from './grant.js'
import {
  extent,
  issue,
  parseRefreshToken,
  type RefreshToken,
  successorOfToken,
  tokenType,
} from './issuance.js'
import { signingKeyFor } from './signing.js'
import { assertResource } from './target.js'

const refused = 'The refresh token is invalid, expired or revoked.'
const expiredBy = {
  idle: 'The refresh token has expired: it was not used in time.',
  absolute:
    'The refresh token has expired: so long after its authorization, the resource owner is asked again.',
  grant: 'The refresh token has expired: so has its grant.',
}

/**
 * RFC 6749 §6 with rotation (RFC 9700 §4.14.2): each use replaces the token, and a replaced one ends the family. Whoever used a token
 * may present it again for a short time, and gets the same successor (ADR 0011). A profile may ask for tokens that stay (ADR 0019).
 */
export const refreshToken: Grant = {
  type: 'refresh_token',
  takesDetails: true,

  async handle(request: TokenRequest, services: TokenServices): Promise<TokenResponse> {
    const { client, parameters } = request
    const presented = parseRefreshToken(parameters.require('refresh_token'))
    if (presented === undefined) throw invalidGrant(refused, 'malformed')
    const known = await services.commands.recall(family, presented.familyId)
    const { facts } = known.state
    if (facts === null) throw invalidGrant(refused, 'unknown')
    // RFC 6749 §6: the server MUST "ensure that the refresh token was issued to the authenticated client"
    if (facts.clientId !== client.client_id) {
      await endIfIssued(request, services, presented)
      throw invalidGrant(refused, 'of another client')
    }
    if (facts.boundTo !== null) await assertBinding(facts.boundTo, presented, request, services)
    assertResource(parameters, facts.audience)
    const scopes = narrowed(facts, parameters.get('scope'))
    const granted = await findDetails(facts, services)
    if (granted === undefined) throw invalidGrant(refused, 'its authorization details were deleted')
    const details = narrowedDetails(parameters.get('authorization_details'), granted)
    const now = services.clock.seconds()
    const key = await signingKeyFor(facts.audience, client, services)

    // FAPI 2.0 §5.3.2.1-9; one that was replaced before goes on to its successor
    const stays =
      !rulesOf(client.profile).rotatesRefreshTokens && known.state.refresh?.hash === presented.hash
    const successor = stays ? presented : successorOfToken(presented, services.successorKey)
    const expiresAt = refreshEnd(now, services.config.REFRESH_TOKEN_SECONDS, facts.familyExpiresAt)
    const token = issue({
      issuer: services.config.ISSUER,
      key,
      now,
      lifetimeSeconds: facts.accessTokenSeconds,
      grantType: 'refresh_token',
      clientId: facts.clientId,
      subject: facts.person,
      audience: facts.audience,
      scopes,
      details,
      boundTo: request.boundTo,
      family: { ...facts, organizationId: facts.owner.kind === 'organization' ? facts.owner.id : undefined },
    })
    const allowed = unlessRevoked(services.db, revocable(facts), () =>
      invalidGrant('The grant has been revoked.', `grant ${facts.grantId}`),
    )
    const command: Refresh = {
      type: 'refresh',
      presented: presented.hash,
      sender: request.sender,
      retrySeconds: services.config.REFRESH_RETRY_SECONDS,
      successor: { hash: successor.hash, expiresAt },
      token: token.facts,
      at: now,
      causeId: timeOrderedId(),
    }
    const state = await rotate(request, services, facts.familyId, {
      known,
      command,
      allowed,
      meanwhile: token.sign,
    })
    // another one was given out only if the key was replaced meanwhile: then nobody can make it again
    if (state === undefined || (!stays && successorOf(presented.hash, state) !== successor.hash))
      throw invalidGrant(refused, `family ${facts.familyId}`)
    return {
      access_token: token.sign(),
      token_type: tokenType(request.boundTo),
      expires_in: token.facts.expiresAt - now,
      ...extent(scopes, details),
      refresh_token: successor.token,
    }
  },
}

/** RFC 9449 §5, RFC 8705 §4: the refresh token of a public client is bound to the key that its first request proved. */
async function assertBinding(
  boundTo: BoundTo,
  presented: RefreshToken,
  request: TokenRequest,
  services: TokenServices,
): Promise<void> {
  if (boundTo.thumbprint === request.boundTo?.thumbprint) return
  if (request.boundTo === undefined)
    throw invalidGrant('The refresh token is bound to a key: the request does not prove that it has it.')
  await endIfIssued(request, services, presented)
  throw invalidGrant(refused, 'bound to another key')
}

interface Rotation {
  readonly known: Known<FamilyState>
  readonly command: Refresh
  readonly allowed: Allowed
  readonly meanwhile: () => void
}

/**
 * The family's state knows the current token and the last ones before; older ones are found in the stream, where theft is rare.
 * @returns the state after it, or undefined when nothing was issued
 */
async function rotate(
  request: TokenRequest,
  services: TokenServices,
  familyId: string,
  { known, command, allowed, meanwhile }: Rotation,
): Promise<FamilyState | undefined> {
  const context = {
    actor: { type: 'client', id: request.client.client_id },
    traceparent: request.traceparent,
    unlessBarred: allowed,
    meanwhile,
  } as const
  const outcome = await services.commands.run(family, familyId, command, context, known)
  if (outcome.events.length > 0)
    return outcome.events.some(event => event.type === 'token.issued') ? outcome.state : undefined
  await allowed.assertAllowed()
  const { status, refresh } = outcome.state
  assertInTime(outcome.state, command)
  if (status !== 'revoked' && refresh?.hash !== command.presented)
    await endIfIssued(request, services, { familyId, hash: command.presented })
  return undefined
}

/** The client that holds the family’s last token may know why it is refused: nobody else comes here with it. */
function assertInTime(state: FamilyState, { presented, at }: Refresh): void {
  const isLast = state.refresh?.hash === presented || successorOf(presented, state) !== undefined
  if (state.status === 'revoked' || !isLast || !hasExpired(state, at)) return
  throw invalidGrant(expiredBy[causeOfEnd(state)], `family ${state.facts?.familyId}`)
}

/** Whoever holds a refresh token of the family that is not for them to use has it from somebody who was: theft. */
async function endIfIssued(
  { client, traceparent }: TokenRequest,
  services: TokenServices,
  { familyId, hash }: { familyId: string; hash: string },
): Promise<void> {
  if (!(await wasIssued(services, familyId, hash))) return
  const actor = { type: 'client', id: client.client_id } as const
  await services.commands.run(
    family,
    familyId,
    { type: 'stolen', causeId: timeOrderedId() },
    { actor, traceparent },
  )
}

/** Whether the family ever had a refresh token with the hash. Only who holds such a token can end the family with it. */
export async function wasIssued(
  { commands }: TokenServices,
  familyId: string,
  hash: string,
): Promise<boolean> {
  const events = await commands.store.read(`family-${familyId}`)
  return events.some(
    ({ fact: { internal } }) => internal && 'refreshHash' in internal && internal.refreshHash === hash,
  )
}

// RFC 6749 §6: the scope "MUST NOT include any scope not originally granted by the resource owner"
function narrowed(facts: FamilyFacts, scope: string | undefined): readonly string[] {
  if (scope === undefined) return facts.scopes
  const wanted = parseScope(scope)
  const [more] = missingFrom(facts.scopes, wanted)
  if (more !== undefined) throw invalidScope(`The scope ${quoteScope(more)} was not granted.`)
  return wanted
}

function revocable({ clientId, grantId, person, owner, startedAt }: FamilyFacts): Revocable {
  return {
    clientId,
    grantId,
    subject: person,
    organizationId: owner.kind === 'organization' ? owner.id : null,
    issuedAt: startedAt,
  }
}
