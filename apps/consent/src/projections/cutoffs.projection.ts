import { defineProjection } from '@grantlog/eventing'

/** Until when all that an owner had granted is revoked. Whether it still counts when somebody approves is decided by the owner's stream. */
interface CutoffRow {
  /** `person:id` or `organization:id` */
  owner: string
  /** In seconds. */
  revoked_until: number
  /** ISO 8601 */
  cut_off_at: string
}

export const cutoffs = defineProjection<CutoffRow>({
  name: 'consent.cutoffs.v1',
  security: false,
  table: 'cutoff_view',
  key: 'owner',
  columns: { owner: 'text', revoked_until: 'bigint not null', cut_off_at: 'text not null' },
  on: {
    'token.revoked': {
      key: ({ data }) => ownerOf(data.target),
      row: (row, { data, time }) => ({
        owner: ownerOf(data.target) ?? '',
        revoked_until: Math.max(row?.revoked_until ?? 0, data.issuedBefore ?? 0),
        cut_off_at: time,
      }),
    },
  },
})

function ownerOf({ kind, id }: { readonly kind: string; readonly id: string }): string | undefined {
  if (kind === 'owner') return `person:${id}`
  return kind === 'organization' ? `organization:${id}` : undefined
}
