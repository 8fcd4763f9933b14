import type { Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'
import { type CutOff, cutOff, later } from './cutoff.js'

export interface AccountState {
  readonly registered: boolean
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
  | ({ readonly type: 'revoke'; readonly accountId: string } & Omit<CutOff, 'cause'>)

export type AccountEvent =
  | Fact<'account.registered' | 'token.revoked'>
  | (Fact<'account.password-changed'> & { readonly id: string })

/** A person's account: that it exists. Who she is and how she signs in is in a table, where it can be deleted. */
export const account: Decider<AccountCommand, AccountEvent, AccountState> = {
  category: 'account',
  initial: { registered: false, cutoff: 0 },

  decide(command, { registered, cutoff }) {
    const { accountId } = command
    if (command.type === 'register')
      return registered ? [] : [{ type: 'account.registered', data: { accountId } }]
    if (!registered) return []
    const owner = { kind: 'person', id: accountId } as const
    if (command.type === 'revoke') return cutOff(owner, command, cutoff)
    const { eventId, cutoff: next } = command
    const revocation = { cutoff: next ?? 0, why: { reason: 'password-changed' }, cause: eventId } as const
    return [
      { type: 'account.password-changed', id: eventId, data: { accountId } },
      ...cutOff(owner, revocation, cutoff),
    ]
  },

  evolve(state, event) {
    switch (event.type) {
      case 'account.registered':
        return { ...state, registered: true }
      case 'account.password-changed':
        return state
      case 'token.revoked':
        return { ...state, cutoff: later(state.cutoff, event.data) }
    }
  },
}
