import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

/** A token family: all tokens that descend from one authorization code. Its id is the code's. Times are seconds. */
export interface FamilyState {
  readonly status: 'unknown' | 'active' | 'revoked'
  readonly facts: FamilyFacts | null
  readonly refresh: RefreshState | null
}

/** What stays as it was when the code was redeemed. */
export interface FamilyFacts extends EventData<'code.redeemed'> {
  readonly person: string
  readonly authTime: number
  readonly accessTokenSeconds: number
  readonly startedAt: number
}

interface RefreshState {
  readonly hash: string
  /** The hash that the current one replaced. */
  readonly replaced: string | null
  readonly generation: number
  readonly expiresAt: number
}

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
  /** The caller has found the presented hash among the family's earlier ones. */
  readonly knownAsReplaced: boolean
  readonly successor: { readonly hash: string; readonly expiresAt: number }
  readonly token: EventData<'token.issued'>
  readonly at: number
  readonly causeId: string
}

export interface RevokeFamily {
  readonly type: 'revoke'
  readonly familyId: string
}

export type FamilyEvent =
  | (Fact<'code.redeemed'> & { readonly internal: CodeInternal })
  | (Fact<'refresh.rotated'> & { readonly internal: { readonly refreshHash: string } })
  | (Fact<'code.replayed' | 'refresh.replayed'> & { readonly id: string })
  | Fact<'token.issued' | 'token.revoked'>

interface CodeInternal {
  readonly refreshHash: string | null
  readonly person: string
  readonly authTime: number
  readonly accessTokenSeconds: number
  readonly startedAt: number
}

export const family: Decider<Redeem | Refresh | RevokeFamily, FamilyEvent, FamilyState> = {
  category: 'family',
  initial: { status: 'unknown', facts: null, refresh: null },

  decide(command, state) {
    switch (command.type) {
      case 'redeem':
        return redeem(command, state)
      case 'refresh':
        return refresh(command, state)
      case 'revoke':
        return state.status === 'active' ? [revoked(command.familyId, 'client-revoked', null)] : []
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
              : { hash: refreshHash, replaced: null, generation: 0, expiresAt },
        }
      }
      case 'refresh.rotated':
        return {
          ...state,
          refresh: {
            hash: event.internal.refreshHash,
            replaced: state.refresh?.hash ?? null,
            generation: event.data.generation,
            expiresAt: event.data.expiresAt,
          },
        }
      case 'token.revoked':
        return { ...state, status: 'revoked' }
      case 'token.issued':
      case 'code.replayed':
      case 'refresh.replayed':
        return state
    }
  },

  endsAt,
}

/** When nothing of the family can be presented any more: neither a refresh token, nor the last access token, nor the code. */
function endsAt({ status, facts, refresh }: FamilyState): number | null {
  if (status === 'revoked') return 0
  if (facts === null) return null
  return (refresh?.expiresAt ?? facts.startedAt) + facts.accessTokenSeconds
}

/** RFC 6749 §4.1.2: a code used more than once is refused, and what was issued for it is revoked. */
function redeem(command: Redeem, state: FamilyState): FamilyEvent[] {
  const { person, authTime, accessTokenSeconds, startedAt, ...data } = command.facts
  const { familyId, clientId } = data
  switch (state.status) {
    case 'unknown':
      return [
        {
          type: 'code.redeemed',
          data,
          internal: { refreshHash: command.refreshHash, person, authTime, accessTokenSeconds, startedAt },
        },
        { type: 'token.issued', data: command.token },
      ]
    case 'active':
      return [
        { type: 'code.replayed', id: command.causeId, data: { familyId, clientId } },
        revoked(familyId, 'code-replayed', command.causeId),
      ]
    case 'revoked':
      return []
  }
}

/** RFC 9700 §4.14.2: a refresh token presented after it was replaced means that two parties hold it; neither is believed. */
function refresh(command: Refresh, state: FamilyState): FamilyEvent[] {
  const { facts, refresh } = state
  if (state.status !== 'active' || facts === null || refresh === null) return []
  const { familyId, clientId } = facts
  if (command.knownAsReplaced || command.presented === refresh.replaced) {
    return [
      { type: 'refresh.replayed', id: command.causeId, data: { familyId, clientId } },
      revoked(familyId, 'refresh-replayed', command.causeId),
    ]
  }
  if (command.presented !== refresh.hash || refresh.expiresAt <= command.at) return []
  return [
    {
      type: 'refresh.rotated',
      data: { familyId, generation: refresh.generation + 1, expiresAt: command.successor.expiresAt },
      internal: { refreshHash: command.successor.hash },
    },
    { type: 'token.issued', data: command.token },
  ]
}

function revoked(
  familyId: string,
  reason: EventData<'token.revoked'>['reason'],
  cause: string | null,
): Fact<'token.revoked'> {
  return {
    type: 'token.revoked',
    data: { target: { kind: 'family', id: familyId }, issuedBefore: null, reason, cause },
  }
}
