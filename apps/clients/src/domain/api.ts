import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

export type ApiRegistration = EventData<'api.registered'>

export interface ApiState {
  /** null: there is no such API. */
  readonly registration: ApiRegistration | null
  /** Why it takes no grants and tokens; null when it does. */
  readonly suspended: string | null
}

export type ApiCommand =
  | { readonly type: 'register' | 'update'; readonly registration: ApiRegistration }
  | { readonly type: 'suspend'; readonly apiId: string; readonly reason: string }
  | { readonly type: 'reinstate'; readonly apiId: string }

/** A resource server's registration. Its audience stays: tokens and grants name it. */
export const api: Decider<
  ApiCommand,
  Fact<'api.registered' | 'api.updated' | 'api.suspended' | 'api.reinstated'>,
  ApiState
> = {
  category: 'api',
  initial: { registration: null, suspended: null },

  decide(command, { registration, suspended }) {
    switch (command.type) {
      case 'register':
        return registration === null ? [{ type: 'api.registered', data: command.registration }] : []
      case 'update':
        return registration?.audience === command.registration.audience
          ? [{ type: 'api.updated', data: command.registration }]
          : []
      case 'suspend':
        return registration !== null && suspended === null
          ? [{ type: 'api.suspended', data: { apiId: command.apiId, reason: command.reason } }]
          : []
      case 'reinstate':
        return suspended === null ? [] : [{ type: 'api.reinstated', data: { apiId: command.apiId } }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'api.registered':
        return { registration: event.data, suspended: null }
      case 'api.updated':
        return { ...state, registration: event.data }
      case 'api.suspended':
        return { ...state, suspended: event.data.reason }
      case 'api.reinstated':
        return { ...state, suspended: null }
    }
  },
}
