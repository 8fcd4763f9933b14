import { defineProjection } from '@grantlog/eventing'
import type { AuthorizationDetail } from '@grantlog/oauth'
import type { DataSource } from 'typeorm'
import type { Owner } from '../domain/owner.js'
import type { ApiDetailsType, ApiScope } from './apis.projection.js'

/** A grant as its owner sees it. Times are ISO 8601, `expires_at` is in seconds. */
export interface GrantRow {
  grant_id: string
  owner_kind: Owner['kind']
  owner_id: string
  client_id: string
  api_id: string
  scopes: string[]
  approved_by: string
  /** Everybody whose approval is in it. */
  approvers: string[]
  approved_at: string
  /** In seconds; null: only by revocation. */
  expires_at: number | null
  revoked_by: string | null
  revoked_at: string | null
  /** When it was seen that the grant had expired: minutes later at most. */
  expired_at: string | null
}

export const grants = defineProjection<GrantRow>({
  name: 'consent.grants.v1',
  security: false,
  table: 'grant_view',
  key: 'grant_id',
  columns: {
    grant_id: 'text',
    owner_kind: 'text not null',
    owner_id: 'text not null',
    client_id: 'text not null',
    api_id: 'text not null',
    scopes: 'text[] not null',
    approved_by: 'text not null',
    approvers: 'text[] not null',
    approved_at: 'text not null',
    expires_at: 'bigint',
    revoked_by: 'text',
    revoked_at: 'text',
    expired_at: 'text',
  },
  on: {
    'grant.approved': {
      key: ({ data }) => data.grantId,
      row: (_, { data, time }) => ({
        grant_id: data.grantId,
        owner_kind: data.owner.kind,
        owner_id: data.owner.id,
        client_id: data.clientId,
        api_id: data.apiId,
        scopes: data.scopes,
        approved_by: data.approvedBy.join(' '),
        approvers: data.approvedBy,
        approved_at: time,
        expires_at: data.expiresAt,
        revoked_by: null,
        revoked_at: null,
        expired_at: null,
      }),
    },
    'grant.amended': {
      key: ({ data }) => data.grantId,
      row: (row, { data, time }) =>
        row && {
          ...row,
          scopes: data.scopes,
          approved_by: data.approvedBy.join(' '),
          approvers: [...new Set([...row.approvers, ...data.approvedBy])],
          approved_at: time,
          expires_at: data.expiresAt,
        },
    },
    'grant.revoked': {
      key: ({ data }) => data.grantId,
      row: (row, { data, time }) => row && { ...row, revoked_by: data.revokedBy, revoked_at: time },
    },
    'grant.expired': {
      key: ({ data }) => data.grantId,
      row: (row, { time }) => row && { ...row, expired_at: time },
    },
    // concerns no row: who waits for it knows that everything before it is here
    'organization.member-removed': { key: () => undefined, row: row => row },
  },
})

/** When a grant was last used, in seconds. Its token families are streams of their own: their events come in any order. */
export const lastUses = defineProjection<{ grant_id: string; last_used_at: number }>({
  name: 'consent.last-uses.v1',
  security: false,
  table: 'last_use_view',
  key: 'grant_id',
  columns: { grant_id: 'text', last_used_at: 'bigint not null' },
  on: {
    'token.issued': {
      key: ({ data }) => data.grantId ?? undefined,
      row: (row, { data }) => ({
        grant_id: data.grantId ?? '',
        last_used_at: Math.max(row?.last_used_at ?? 0, data.issuedAt),
      }),
    },
  },
})

/** The grant that an owner's next approval of this client at this API adds to, if there is one that has not ended. */
export async function findStandingGrant(
  db: DataSource,
  wanted: { owner: Owner; clientId: string; apiId: string; approvedAfter: number; now: number },
): Promise<string | undefined> {
  const rows: { grant_id: string }[] = await db.query(
    `select grant_id from grant_view
     where owner_kind = $1 and owner_id = $2 and client_id = $3 and api_id = $4
       and revoked_at is null and (expires_at is null or expires_at > $5)
       and extract(epoch from approved_at::timestamptz) >= $6::bigint + 1
     order by approved_at desc limit 1`,
    [wanted.owner.kind, wanted.owner.id, wanted.clientId, wanted.apiId, wanted.now, wanted.approvedAfter],
  )
  return rows[0]?.grant_id
}

/** The grants of an organization that stand by the approval of a person, if only in part. */
export async function approvedFor(
  db: DataSource,
  organizationId: string,
  accountId: string,
): Promise<string[]> {
  const rows: { grant_id: string }[] = await db.query(
    `select grant_id from grant_view
     where owner_kind = 'organization' and owner_id = $1 and $2 = any(approvers)
       and revoked_at is null and expired_at is null
     order by grant_id`,
    [organizationId, accountId],
  )
  return rows.map(({ grant_id }) => grant_id)
}

/** A grant with the names of those it concerns. */
export interface ShownGrant extends GrantRow {
  client_name: string | null
  api_name: string | null
  api_audience: string | null
  api_scopes: ApiScope[] | null
  api_details_types: ApiDetailsType[] | null
  /** What was approved in detail with each code, the latest first; 20 at most. */
  details: AuthorizationDetail[][]
  owner_name: string | null
  last_used_at: string | null
}

const shownAtOnce = 200
const detailsAtOnce = 20

/** The grants of a person and of the organizations that she may act for; the latest first, 200 at most. */
export async function grantsOf(db: DataSource, accountId: string): Promise<ShownGrant[]> {
  const rows: (ShownGrant & { cut_off_at: string | null; client_gone_at: string | null })[] = await db.query(
    `select grant_view.*, cut_off_at, last_used_at, client_view.name as client_name, api_view.name as api_name,
       case when expires_at is null or expires_at > extract(epoch from deleted_at::timestamptz)
         then deleted_at end as client_gone_at,
       api_view.audience as api_audience, api_view.scopes as api_scopes, api_view.details_types as api_details_types,
       coalesce((
         select json_agg(latest.details) from (
           select details::json from approved_details where approved_details.grant_id = grant_view.grant_id
           order by approved_at desc limit ${detailsAtOnce}) latest), '[]') as details,
       coalesce(accounts.name, organizations.name) as owner_name
     from grant_view
     left join cutoff_view on cutoff_view.owner = grant_view.owner_kind || ':' || grant_view.owner_id
       and extract(epoch from grant_view.approved_at::timestamptz) < revoked_until + 1
     left join last_use_view using (grant_id)
     left join client_view using (client_id)
     left join api_view using (api_id)
     left join accounts on owner_kind = 'person' and accounts.account_id = owner_id
     left join organizations on owner_kind = 'organization' and organizations.organization_id = owner_id
     where (owner_kind = 'person' and owner_id = $1)
        or (owner_kind = 'organization' and owner_id in (
              select organization_id from membership_view where account_id = $1 and role = 'administrator'))
     order by (revoked_at is null and cut_off_at is null and deleted_at is null and expired_at is null) desc,
       approved_at desc, grant_id limit ${shownAtOnce}`,
    [accountId],
  )
  return rows.map(({ cut_off_at, client_gone_at, ...grant }) => ({
    ...grant,
    revoked_at: grant.revoked_at ?? cut_off_at ?? client_gone_at,
  }))
}
