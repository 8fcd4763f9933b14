import type { BoundTo, EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

/** A token family: all tokens that descend from one authorization code, or from one device's. Its id is the code's. Times are seconds. */
export interface FamilyState {
  readonly status: 'unknown' | 'active' | 'expired' | 'revoked'
  readonly facts: FamilyFacts | null
  readonly refresh: RefreshState | null
}

/** What stays as it was when the code was redeemed. */
export interface FamilyFacts extends EventData<'code.redeemed'> {
  readonly person: string
  readonly authTime: number
  readonly accessTokenSeconds: number
  readonly startedAt: number
  /** What the refresh tokens are bound to; null where they are not. */
  readonly boundTo: BoundTo | null
}

interface RefreshState {
  readonly hash: string
  /** Those that were replaced last, the newest first; older ones are found in the stream. */
  readonly replaced: readonly Replaced[]
  readonly generation: number
  readonly expiresAt: number
}

/** A refresh token that was used: when, and by whom, in terms of what only that sender can prove again. */
export interface Replaced {
  readonly hash: string
  readonly at: number
  readonly sender: string | null
}

const replacedKept = 4

export interface Redeem {
  readonly type: 'redeem'
  readonly facts: FamilyFacts
  readonly refreshHash: string | null
  readonly token: EventData<'token.issued'>
  /** Id for the event that would be the cause of a revocation. */
  readonly causeId: string
}

export interface Refresh {
  readonly type: 'refresh'
  readonly presented: string
  /** Whoever proves to be this one again may ask again; null: nobody can. */
  readonly sender: string | null
  /** How long after a rotation its sender may ask again, in seconds. */
  readonly retrySeconds: number
  /** The token that is good from then on: the same one, where none replaces it. */
  readonly successor: { readonly hash: string; readonly expiresAt: number }
  readonly token: EventData<'token.issued'>
  readonly at: number
  readonly causeId: string
}

/** A refresh token of the family was presented by somebody who may not use it. */
export interface Stolen {
  readonly type: 'stolen'
  readonly causeId: string
}

export interface RevokeFamily {
  readonly type: 'revoke'
  readonly familyId: string
  readonly why: Why
}

/** Why something is revoked, and what an operator said of it. */
export type Why = Pick<EventData<'token.revoked'>, 'reason' | 'note'>

/** Time has passed. */
export interface Expire {
  readonly type: 'expire'
  readonly at: number
}

export type FamilyCommand = Redeem | Refresh | Stolen | RevokeFamily | Expire

export type FamilyEvent =
  | (Fact<'code.redeemed'> & { readonly internal: CodeInternal })
  | (Fact<'token.issued'> & { readonly internal?: RotationInternal })
  | (Fact<'code.replayed' | 'refresh.replayed'> & { readonly id: string })
  | Fact<'token.revoked' | 'family.expired'>

/** Of the refresh token that was replaced, and its successor. */
interface RotationInternal {
  readonly refreshHash: string
  readonly at: number
  readonly sender: string | null
}

interface CodeInternal {
  readonly refreshHash: string | null
  readonly person: string
  readonly authTime: number
  readonly accessTokenSeconds: number
  readonly startedAt: number
  readonly boundTo: BoundTo | null
}

export const family: Decider<FamilyCommand, FamilyEvent, FamilyState> = {
  category: 'family',
  initial: { status: 'unknown', facts: null, refresh: null },

  decide(command, state) {
    switch (command.type) {
      case 'redeem':
        return redeem(command, state)
      case 'refresh':
        return refresh(command, state)
      case 'stolen':
        return mayHaveTokens(state) ? stolen(command.causeId, state.facts) : []
      case 'revoke':
        return mayHaveTokens(state) ? [revoked(command.familyId, command.why, null)] : []
      case 'expire':
        return state.status === 'active' && hasExpired(state, command.at) ? expired(state) : []
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'code.redeemed': {
        const { refreshHash, ...facts } = event.internal
        const expiresAt = event.data.refreshExpiresAt
        return {
          status: 'active',
          facts: { ...event.data, ...facts },
          refresh:
            refreshHash === null || expiresAt === null
              ? null
              : { hash: refreshHash, replaced: [], generation: 0, expiresAt },
        }
      }
      case 'token.issued': {
        const { refresh } = event.data
        if (refresh === undefined || state.refresh === null) return state
        return { ...state, refresh: { ...replaced(state.refresh, event.internal), ...refresh } }
      }
      case 'token.revoked':
        return { ...state, status: 'revoked' }
      case 'family.expired':
        return { ...state, status: 'expired' }
      case 'code.replayed':
      case 'refresh.replayed':
        return state
    }
  },

  endsAt,

  remembered: true,

  deadline: {
    at: ({ status, refresh }) => (status === 'active' && refresh !== null ? refresh.expiresAt : null),
    command: (_, now) => ({ type: 'expire', at: now }),
  },
}

/** What the family knows of its refresh tokens once one replaced the last; as before, where none did. */
function replaced(before: RefreshState, rotation: RotationInternal | undefined): RefreshState {
  if (rotation === undefined) return before
  const { refreshHash, at, sender } = rotation
  const last = { hash: before.hash, at, sender }
  return { ...before, hash: refreshHash, replaced: [last, ...before.replaced].slice(0, replacedKept) }
}

/** When nothing of the family can be presented any more: neither a refresh token, nor the last access token, nor the code. */
function endsAt({ status, facts, refresh }: FamilyState): number | null {
  if (status === 'revoked') return 0
  if (facts === null || (status === 'active' && refresh !== null)) return null
  return (refresh?.expiresAt ?? facts.startedAt) + facts.accessTokenSeconds
}

/** When a refresh token that is given out now ends unused: never after its family, which never outlives its grant. */
export function refreshEnd(now: number, idleSeconds: number, familyExpiresAt: number | null): number {
  return Math.min(now + idleSeconds, familyExpiresAt ?? Number.POSITIVE_INFINITY)
}

/** Whether the family’s refresh token can not be used any more, in terms of time alone. */
export function hasExpired({ refresh }: Pick<FamilyState, 'refresh'>, at: number): boolean {
  return refresh !== null && refresh.expiresAt <= at
}

/** Why the family’s refresh token ends when it does. */
export function causeOfEnd({ facts, refresh }: FamilyState): EventData<'family.expired'>['cause'] {
  if (refresh?.expiresAt !== facts?.familyExpiresAt) return 'idle'
  return facts?.familyExpiresAt === facts?.grantExpiresAt ? 'grant' : 'absolute'
}

/** An expired one’s last access tokens end later. */
const mayHaveTokens = ({ status }: FamilyState) => status === 'active' || status === 'expired'

function expired(state: FamilyState): FamilyEvent[] {
  if (state.facts === null) return []
  const { familyId, clientId, grantId } = state.facts
  return [{ type: 'family.expired', data: { familyId, clientId, grantId, cause: causeOfEnd(state) } }]
}

/** RFC 6749 §4.1.2: a code used more than once is refused, and what was issued for it is revoked. */
function redeem(command: Redeem, state: FamilyState): FamilyEvent[] {
  const { person, authTime, accessTokenSeconds, startedAt, boundTo, ...data } = command.facts
  const { familyId, clientId } = data
  switch (state.status) {
    case 'unknown':
      return [
        {
          type: 'code.redeemed',
          data,
          internal: {
            refreshHash: command.refreshHash,
            person,
            authTime,
            accessTokenSeconds,
            startedAt,
            boundTo,
          },
        },
        { type: 'token.issued', data: command.token },
      ]
    case 'active':
    case 'expired':
      return [
        { type: 'code.replayed', id: command.causeId, data: { familyId, clientId } },
        revoked(familyId, { reason: 'code-replayed' }, command.causeId),
      ]
    case 'revoked':
      return []
  }
}

/** The hash of the token that replaced one; undefined when that is not among the last. */
export function successorOf(hash: string, { refresh }: FamilyState): string | undefined {
  const place = refresh?.replaced.findIndex(replaced => replaced.hash === hash) ?? -1
  if (refresh === null || place === -1) return undefined
  return place === 0 ? refresh.hash : refresh.replaced[place - 1]?.hash
}

/** Whether it is a sender that asks again: the answer was lost, or several of its instances refreshed at once. */
function asksAgain({ presented, sender, at, retrySeconds }: Refresh, replaced: readonly Replaced[]): boolean {
  const used = replaced.find(({ hash }) => hash === presented)
  return used !== undefined && sender !== null && used.sender === sender && at <= used.at + retrySeconds
}

/**
 * RFC 9700 §4.14.2: a refresh token presented after it was replaced means that two parties hold it; neither is believed. Only whoever
 * used it may present it again, for a short time: then it is answered with the same successor, and nothing rotates.
 */
function refresh(command: Refresh, state: FamilyState): FamilyEvent[] {
  const { facts, refresh } = state
  if (!mayHaveTokens(state) || facts === null || refresh === null) return []
  const over = state.status === 'expired' || hasExpired(state, command.at)
  if (asksAgain(command, refresh.replaced)) return over ? [] : [{ type: 'token.issued', data: command.token }]
  if (refresh.replaced.some(({ hash }) => hash === command.presented)) return stolen(command.causeId, facts)
  if (command.presented !== refresh.hash || over) return []
  return [used(command, refresh)]
}

function used({ successor, at, sender, token }: Refresh, { hash, generation }: RefreshState): FamilyEvent {
  const { expiresAt } = successor
  const stays = successor.hash === hash
  // in the order of their canonical form, which is then written the fast way
  const { scopes, subject, tokenId, ...before } = token
  const refresh = { expiresAt, generation: stays ? generation : generation + 1 }
  const data = { ...before, refresh, scopes, subject, tokenId }
  if (stays) return { type: 'token.issued', data }
  return { type: 'token.issued', data, internal: { at, refreshHash: successor.hash, sender } }
}

function stolen(causeId: string, facts: FamilyFacts | null): FamilyEvent[] {
  if (facts === null) return []
  const { familyId, clientId } = facts
  return [
    { type: 'refresh.replayed', id: causeId, data: { familyId, clientId } },
    revoked(familyId, { reason: 'refresh-replayed' }, causeId),
  ]
}

function revoked(familyId: string, why: Why, cause: string | null): Fact<'token.revoked'> {
  return {
    type: 'token.revoked',
    data: { cause, issuedBefore: null, ...why, target: { id: familyId, kind: 'family' } },
  }
}
