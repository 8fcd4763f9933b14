import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'
import type { Why } from './family.js'

/** What is known of one access token by its `jti`: whether it was revoked by itself; of one that was issued here, to whom, and its end in seconds. */
export interface AccessTokenState {
  readonly revoked: boolean
  readonly clientId: string | null
  readonly expiresAt: number | null
}

export type AccessTokenCommand =
  | { readonly type: 'issue'; readonly token: EventData<'token.issued'> }
  | { readonly type: 'revoke'; readonly tokenId: string; readonly why: Why }

/**
 * A stream of its own for a token that belongs to no family (client credentials), for one that was exchanged for another (it waits for
 * nobody who refreshes), and for the revocation of any single token.
 */
export const accessToken: Decider<
  AccessTokenCommand,
  Fact<'token.issued' | 'token.revoked'>,
  AccessTokenState
> = {
  category: 'token',
  initial: { revoked: false, clientId: null, expiresAt: null },

  decide(command, state) {
    switch (command.type) {
      case 'issue':
        return [{ type: 'token.issued', data: command.token }]
      case 'revoke':
        if (state.revoked) return []
        return [
          {
            type: 'token.revoked',
            data: {
              cause: null,
              issuedBefore: null,
              ...command.why,
              target: { id: command.tokenId, kind: 'token' },
            },
          },
        ]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'token.issued':
        return { ...state, clientId: event.data.clientId, expiresAt: event.data.expiresAt }
      case 'token.revoked':
        return { ...state, revoked: true }
    }
  },

  // one of a family that was revoked by itself: only its revocation is here, and a second one would say the same
  endsAt: ({ expiresAt }) => expiresAt ?? 0,
}
