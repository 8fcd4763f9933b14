import { defineProjection } from '@grantlog/eventing'
import type { DataSource } from 'typeorm'

/** Which organizations a person belongs to. Whether she may act for one is decided by its stream. */
interface MembershipRow {
  /** `organization:account` */
  membership: string
  organization_id: string
  account_id: string
  role: string
}

export const memberships = defineProjection<MembershipRow>({
  name: 'consent.memberships.v1',
  security: false,
  table: 'membership_view',
  key: 'membership',
  columns: {
    membership: 'text',
    organization_id: 'text not null',
    account_id: 'text not null',
    role: 'text not null',
  },
  on: {
    'organization.member-added': {
      key: ({ data }) => `${data.organizationId}:${data.accountId}`,
      row: (_, { data }) => ({
        membership: `${data.organizationId}:${data.accountId}`,
        organization_id: data.organizationId,
        account_id: data.accountId,
        role: data.role,
      }),
    },
    'organization.member-removed': {
      key: ({ data }) => `${data.organizationId}:${data.accountId}`,
      row: () => undefined,
    },
  },
})

/** The organizations for which a person may act, by name. */
export function administeredBy(
  db: DataSource,
  accountId: string,
): Promise<{ organization_id: string; name: string }[]> {
  return db.query(
    `select organization_id, name from membership_view join organizations using (organization_id)
     where account_id = $1 and role = 'administrator' order by name, organization_id`,
    [accountId],
  )
}
