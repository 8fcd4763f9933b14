import type { EventData, Fact } from '@grantlog/contracts'
import type { Decider } from '@grantlog/eventing'

export type Role = EventData<'organization.member-added'>['role']

export interface OrganizationState {
  readonly created: boolean
  /** Account id → role. */
  readonly members: Readonly<Record<string, Role>>
}

export type OrganizationCommand =
  | { readonly type: 'create'; readonly organizationId: string }
  | {
      readonly type: 'add-member'
      readonly organizationId: string
      readonly accountId: string
      readonly role: Role
    }

/** A company, and who belongs to it. Where a command changes nothing there is no event, and the state says why. */
export const organization: Decider<
  OrganizationCommand,
  Fact<'organization.created' | 'organization.member-added'>,
  OrganizationState
> = {
  category: 'organization',
  initial: { created: false, members: {} },

  decide(command, { created, members }) {
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
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'organization.created':
        return { ...state, created: true }
      case 'organization.member-added':
        return { ...state, members: { ...state.members, [event.data.accountId]: event.data.role } }
    }
  },
}

/** Whether a person may grant access, and end it, in the organization's name. */
export function mayActFor({ members }: OrganizationState, accountId: string): boolean {
  return Object.hasOwn(members, accountId) && members[accountId] === 'administrator'
}
