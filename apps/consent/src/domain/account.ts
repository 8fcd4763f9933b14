import type { Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

/** A person's account: that it exists. Who she is and how she signs in is in a table, where it can be deleted. */
export const account: Decider<
  { readonly type: 'register'; readonly accountId: string },
  Fact<'account.registered'>,
  { readonly registered: boolean }
> = {
  category: 'account',
  initial: { registered: false },

  decide({ accountId }, { registered }) {
    return registered ? [] : [{ type: 'account.registered', data: { accountId } }]
  },

  evolve(_, event) {
    switch (event.type) {
      case 'account.registered':
        return { registered: true }
    }
  },
}
