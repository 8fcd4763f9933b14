import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

/** What a client is registered with, but for its credentials. */
export type Registration = EventData<'client.updated'>
type Credential = EventData<'client.registered'>['credentials'][number]

export interface ClientState {
  /** null: there is no such client. */
  readonly registration: Registration | null
  /** Why it may not be used; null when it may. */
  readonly suspended: string | null
  /** Whether there was one, which is gone for good: nobody else gets its id. */
  readonly deleted: boolean
}

export type ClientCommand =
  | {
      readonly type: 'register'
      readonly registration: Registration
      readonly credentials: readonly Credential[]
    }
  | { readonly type: 'update'; readonly registration: Registration }
  | {
      readonly type: 'suspend'
      readonly clientId: string
      readonly reason: string
      readonly eventId: string
      /** Tokens issued until then, in seconds, are revoked: a little ahead, until the token service has heard. */
      readonly cutoff: number
    }
  | { readonly type: 'reinstate'; readonly clientId: string }
  | {
      readonly type: 'delete'
      readonly clientId: string
      readonly reason: string
      readonly eventId: string
    }
  | {
      /** What was issued to it counts no longer; it may go on. */
      readonly type: 'revoke'
      readonly clientId: string
      readonly note: string
      /** As of a suspension. */
      readonly cutoff: number
    }

export type ClientEvent =
  | Fact<'client.registered' | 'client.updated' | 'client.reinstated' | 'token.revoked'>
  | (Fact<'client.suspended' | 'client.deleted'> & { readonly id: string })

/** A client's registration. Where a command changes nothing there is no event, and the state says why. */
export const client: Decider<ClientCommand, ClientEvent, ClientState> = {
  category: 'client',
  initial: { registration: null, suspended: null, deleted: false },

  decide(command, { registration, suspended, deleted }) {
    switch (command.type) {
      case 'register':
        if (registration !== null || deleted) return []
        return [
          {
            type: 'client.registered',
            data: { ...command.registration, credentials: [...command.credentials] },
          },
        ]
      case 'update':
        if (registration === null || !mayBecome(registration, command.registration)) return []
        return [{ type: 'client.updated', data: command.registration }]
      case 'suspend':
        if (registration === null || suspended !== null) return []
        return suspend(command)
      case 'reinstate':
        if (registration === null || suspended === null) return []
        return [{ type: 'client.reinstated', data: { clientId: command.clientId } }]
      case 'delete':
        return registration === null ? [] : remove(command)
      case 'revoke': {
        if (registration === null) return []
        const { clientId, cutoff, note } = command
        return [revoked(clientId, cutoff, { reason: 'operator', note, cause: null })]
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'client.registered': {
        const { credentials: _, ...registration } = event.data
        return { ...state, registration }
      }
      case 'client.updated':
        return { ...state, registration: event.data }
      case 'client.suspended':
        return { ...state, suspended: event.data.reason }
      case 'client.reinstated':
        return { ...state, suspended: null }
      case 'client.deleted':
        return { registration: null, suspended: null, deleted: true }
      case 'token.revoked':
        return state
    }
  },
}

/**
 * A client that authenticates never becomes one that does not, nor the other way round: it would be another client. Nor does one go back
 * from a key or certificate to a secret, which may never have been made.
 */
export function mayBecome(before: Registration, after: Registration): boolean {
  const same = (before.tokenEndpointAuthMethod === 'none') === (after.tokenEndpointAuthMethod === 'none')
  return same && (hasSecret(before) || !hasSecret(after))
}

export function hasSecret({ tokenEndpointAuthMethod }: Registration): boolean {
  return tokenEndpointAuthMethod === 'client_secret_basic' || tokenEndpointAuthMethod === 'client_secret_post'
}

function suspend(command: Extract<ClientCommand, { type: 'suspend' }>): ClientEvent[] {
  const { clientId, reason, eventId, cutoff } = command
  return [
    { type: 'client.suspended', id: eventId, data: { clientId, reason } },
    revoked(clientId, cutoff, { reason: 'client-suspended', cause: eventId }),
  ]
}

function remove(command: Extract<ClientCommand, { type: 'delete' }>): ClientEvent[] {
  const { clientId, reason, eventId } = command
  return [
    { type: 'client.deleted', id: eventId, data: { clientId, reason } },
    revoked(clientId, null, { reason: 'client-deleted', cause: eventId }),
  ]
}

function revoked(
  clientId: string,
  issuedBefore: number | null,
  why: Pick<EventData<'token.revoked'>, 'reason' | 'note' | 'cause'>,
): Fact<'token.revoked'> {
  return { type: 'token.revoked', data: { target: { kind: 'client', id: clientId }, issuedBefore, ...why } }
}
