import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

/** Whether the log knows of a signing key. The private half is never part of it. */
export const signingKey: Decider<
  EventData<'key.activated'>,
  Fact<'key.activated'>,
  { readonly active: boolean }
> = {
  category: 'key',
  initial: { active: false },
  decide: (data, state) => (state.active ? [] : [{ type: 'key.activated', data }]),
  evolve(_, event) {
    switch (event.type) {
      case 'key.activated':
        return { active: true }
    }
  },
}
