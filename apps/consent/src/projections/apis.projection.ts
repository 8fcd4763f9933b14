import type { EventData } from '@grantlog/contracts'
import { defineProjection } from '@grantlog/eventing'
import type { Profile, SigningAlgorithm } from '@grantlog/oauth'
import type { DataSource } from 'typeorm'

/** What a person is told of an API, and what codes for it say. */
export interface ApiRow {
  api_id: string
  audience: string
  name: string
  scopes: ApiScope[]
  details_types: ApiDetailsType[]
  access_token_seconds: number
  signing_alg: SigningAlgorithm
  profile: Profile | null
  suspended: boolean
  /** Version of its stream, and so of the scopes' words. */
  version: number
}
export type ApiDetailsType = NonNullable<EventData<'api.registered'>['authorizationDetailsTypes']>[number]
export type ApiScope = EventData<'api.registered'>['scopes'][number]

export const apis = defineProjection<ApiRow>({
  name: 'consent.apis.v1',
  security: true,
  table: 'api_view',
  key: 'api_id',
  columns: {
    api_id: 'text',
    audience: 'text not null',
    name: 'text not null',
    scopes: 'json not null',
    details_types: 'json not null',
    access_token_seconds: 'integer not null',
    signing_alg: 'text not null',
    profile: 'text',
    suspended: 'boolean not null',
    version: 'integer not null',
  },
  on: {
    'api.registered': {
      key: ({ data }) => data.apiId,
      row: (_, { data, streamVersion }) => ({ ...facts(data), suspended: false, version: streamVersion }),
    },
    'api.updated': {
      key: ({ data }) => data.apiId,
      row: (row, { data, streamVersion }) =>
        row && { ...facts(data), suspended: row.suspended, version: streamVersion },
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
    name: data.name,
    scopes: data.scopes,
    details_types: data.authorizationDetailsTypes ?? [],
    access_token_seconds: data.accessTokenSeconds,
    signing_alg: data.accessTokenAlgorithm,
    profile: data.profile ?? null,
  }
}

/** The API with the audience, or without one every API that knows one of the scopes. Suspended ones among them. */
export async function findApis(
  db: DataSource,
  wanted: { audience: string | undefined; scopes: readonly string[] },
): Promise<ApiRow[]> {
  const rows: ApiRow[] = await db.query(
    'select * from api_view where $1::text is null or audience = $1 order by api_id',
    [wanted.audience ?? null],
  )
  if (wanted.audience !== undefined) return rows
  return rows.filter(api => api.scopes.some(scope => wanted.scopes.includes(scope.name)))
}
