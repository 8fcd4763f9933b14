import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'
import { type CutOff, cutOff, later } from './cutoff.js'

export type Role = EventData<'organization.member-added'>['role']

export interface OrganizationState {
  readonly created: boolean
  /** Account id → role. */
  readonly members: Readonly<Record<string, Role>>
  /** What was granted and issued until then, in seconds, is revoked. */
  readonly cutoff: number
}

export type OrganizationCommand =
  | { readonly type: 'create'; readonly organizationId: string }
  | {
      readonly type: 'add-member'
      readonly organizationId: string
      readonly accountId: string
      readonly role: Role
    }
  | { readonly type: 'remove-member'; readonly organizationId: string; readonly accountId: string }
  | ({ readonly type: 'revoke'; readonly organizationId: string } & Omit<CutOff, 'cause'>)

/** A company, and who belongs to it. Where a command changes nothing there is no event, and the state says why. */
export const organization: Decider<
  OrganizationCommand,
  Fact<
    'organization.created' | 'organization.member-added' | 'organization.member-removed' | 'token.revoked'
  >,
  OrganizationState
> = {
  category: 'organization',
  initial: { created: false, members: {}, cutoff: 0 },

  decide(command, { created, members, cutoff }) {
    switch (command.type) {
      case 'create': {
        const { organizationId } = command
        return created ? [] : [{ type: 'organization.created', data: { organizationId } }]
      }
      case 'add-member': {
        const { organizationId, accountId, role } = command
        if (!created || Object.hasOwn(members, accountId)) return []
        return [{ type: 'organization.member-added', data: { organizationId, accountId, role } }]
      }
      case 'remove-member': {
        const { organizationId, accountId } = command
        if (!Object.hasOwn(members, accountId)) return []
        return [{ type: 'organization.member-removed', data: { organizationId, accountId } }]
      }
      case 'revoke':
        return created ? cutOff({ kind: 'organization', id: command.organizationId }, command, cutoff) : []
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'organization.created':
        return { ...state, created: true }
      case 'organization.member-added':
        return { ...state, members: { ...state.members, [event.data.accountId]: event.data.role } }
      case 'organization.member-removed': {
        const { [event.data.accountId]: _, ...members } = state.members
        return { ...state, members }
      }
      case 'token.revoked':
        return { ...state, cutoff: later(state.cutoff, event.data) }
    }
  },
}

/** Whether a person may grant access, and end it, in the organization's name. */
export function mayActFor({ members }: OrganizationState, accountId: string): boolean {
  return Object.hasOwn(members, accountId) && members[accountId] === 'administrator'
}
