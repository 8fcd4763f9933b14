import type { EventData } from '@grantlog/contracts'
import { defineProjection } from '@grantlog/eventing'
import type { DataSource } from 'typeorm'

/** What the token service must know of an API to issue tokens for it. */
export interface ApiRow {
  api_id: string
  audience: string
  scopes: string[]
  /** Of authorization details (RFC 9396). */
  details_types: string[]
  access_token_seconds: number
  suspended: boolean
}

export const apis = defineProjection<ApiRow>({
  name: 'token.apis.v1',
  security: true,
  table: 'api_view',
  key: 'api_id',
  columns: {
    api_id: 'text',
    audience: 'text not null',
    scopes: 'text[] not null',
    details_types: 'text[] not null',
    access_token_seconds: 'integer not null',
    suspended: 'boolean not null',
  },
  on: {
    'api.registered': {
      key: ({ data }) => data.apiId,
      row: (_, { data }) => ({ ...facts(data), suspended: false }),
    },
    'api.updated': {
      key: ({ data }) => data.apiId,
      row: (row, { data }) => row && { ...facts(data), suspended: row.suspended },
    },
    'api.suspended': {
      key: ({ data }) => data.apiId,
      row: row => row && { ...row, suspended: true },
    },
    'api.reinstated': {
      key: ({ data }) => data.apiId,
      row: row => row && { ...row, suspended: false },
    },
  },
})

function facts(data: EventData<'api.registered'>) {
  return {
    api_id: data.apiId,
    audience: data.audience,
    scopes: data.scopes.map(scope => scope.name),
    details_types: (data.authorizationDetailsTypes ?? []).map(({ type }) => type),
    access_token_seconds: data.accessTokenSeconds,
  }
}

/** The API with the audience, or without one every API that knows one of the scopes. Suspended ones among them. */
export async function findApis(
  db: DataSource,
  wanted: { audience: string | undefined; scopes: readonly string[] },
): Promise<ApiRow[]> {
  if (wanted.audience !== undefined) {
    return db.query('select * from api_view where audience = $1', [wanted.audience])
  }
  return db.query('select * from api_view where scopes && $1 order by api_id', [wanted.scopes])
}

/** The types of authorization details that some API understands. */
export async function findDetailsTypes(db: DataSource): Promise<string[]> {
  const rows: { type: string }[] = await db.query(
    'select distinct unnest(details_types) as type from api_view order by type',
  )
  return rows.map(({ type }) => type)
}

/** Whether an API takes no tokens at the moment, by its audience. */
export async function isSuspended(db: DataSource, audience: string): Promise<boolean> {
  const rows: unknown[] = await db.query('select from api_view where audience = $1 and suspended', [audience])
  return rows.length > 0
}
