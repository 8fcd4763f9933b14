import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

/** What is known of one access token by its `jti`: whether it was revoked by itself. */
export interface AccessTokenState {
  readonly revoked: boolean
}

export type AccessTokenCommand =
  | { readonly type: 'issue'; readonly token: EventData<'token.issued'> }
  | { readonly type: 'revoke'; readonly tokenId: string }

/**
 * A stream of its own for a token that belongs to no family (client credentials), and for the revocation of any single token.
 */
export const accessToken: Decider<
  AccessTokenCommand,
  Fact<'token.issued' | 'token.revoked'>,
  AccessTokenState
> = {
  category: 'token',
  initial: { revoked: false },

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
              target: { kind: 'token', id: command.tokenId },
              issuedBefore: null,
              reason: 'client-revoked',
              cause: null,
            },
          },
        ]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'token.issued':
        return state
      case 'token.revoked':
        return { revoked: true }
    }
  },
}
