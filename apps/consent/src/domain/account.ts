import type { Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'
import { type CutOff, cutOff, later } from './cutoff.js'

export interface AccountState {
  readonly registered: boolean
  /** Nobody signs in with it, nor approves. */
  readonly suspended: boolean
  /** What was granted and issued until then, in seconds, is revoked. */
  readonly cutoff: number
}

export type AccountCommand =
  | { readonly type: 'register'; readonly accountId: string }
  | {
      readonly type: 'change-password'
      readonly accountId: string
      readonly eventId: string
      /** null: what was granted stays. */
      readonly cutoff: number | null
    }
  | {
      readonly type: 'suspend'
      readonly accountId: string
      readonly reason: string
      readonly eventId: string
      readonly cutoff: number
    }
  | { readonly type: 'reinstate'; readonly accountId: string }
  | ({ readonly type: 'revoke'; readonly accountId: string } & Omit<CutOff, 'cause'>)

export type AccountEvent =
  | Fact<'account.registered' | 'account.reinstated' | 'token.revoked'>
  | (Fact<'account.password-changed' | 'account.suspended'> & { readonly id: string })

/** A person's account: that it exists. Who she is and how she signs in is in a table, where it can be deleted. */
export const account: Decider<AccountCommand, AccountEvent, AccountState> = {
  category: 'account',
  initial: { registered: false, suspended: false, cutoff: 0 },

  decide(command, { registered, suspended, cutoff: before }) {
    const { type, accountId } = command
    if (type === 'register') return registered ? [] : [{ type: 'account.registered', data: { accountId } }]
    if (!registered) return []
    const owner = { kind: 'person', id: accountId } as const
    switch (type) {
      case 'change-password': {
        const { eventId: id, cutoff } = command
        const changed = { type: 'account.password-changed', id, data: { accountId } } as const
        if (cutoff === null) return [changed]
        return [changed, ...cutOff(owner, { cutoff, why: { reason: 'password-changed' }, cause: id }, before)]
      }
      case 'suspend': {
        if (suspended) return []
        const { eventId: id, reason, cutoff } = command
        return [
          { type: 'account.suspended', id, data: { accountId, reason } },
          ...cutOff(owner, { cutoff, why: { reason: 'account-suspended' }, cause: id }, before),
        ]
      }
      case 'reinstate':
        return suspended ? [{ type: 'account.reinstated', data: { accountId } }] : []
      case 'revoke':
        return cutOff(owner, command, before)
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'account.registered':
        return { ...state, registered: true }
      case 'account.suspended':
        return { ...state, suspended: true }
      case 'account.reinstated':
        return { ...state, suspended: false }
      case 'account.password-changed':
        return state
      case 'token.revoked':
        return { ...state, cutoff: later(state.cutoff, event.data) }
    }
  },
}
