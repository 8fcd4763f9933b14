import type { EventData } from '@grantlog/contracts'
import { defineProjection, kept } from '@grantlog/eventing'
import type { Profile, SigningAlgorithm } from '@grantlog/oauth'
import { poolOf } from '@grantlog/platform'
import type { DataSource } from 'typeorm'

/** What the token service must know of an API to issue tokens for it. */
export interface ApiRow {
  api_id: string
  audience: string
  scopes: string[]
  /** Of authorization details (RFC 9396). */
  details_types: string[]
  access_token_seconds: number
  signing_alg: SigningAlgorithm
  token_format: EventData<'api.registered'>['accessTokenFormat']
  /** Who asks about the API's tokens. */
  introspection_client: string | null
  profile: Profile | null
  suspended: boolean
}

export const apis = defineProjection<ApiRow>({
  name: 'token.apis.v1',
  security: true,
  keptInMemory: true,
  table: 'api_view',
  key: 'api_id',
  columns: {
    api_id: 'text',
    audience: 'text not null',
    scopes: 'text[] not null',
    details_types: 'text[] not null',
    access_token_seconds: 'integer not null',
    signing_alg: 'text not null',
    token_format: 'text not null',
    introspection_client: 'text',
    profile: 'text',
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
    signing_alg: data.accessTokenAlgorithm,
    token_format: data.accessTokenFormat,
    introspection_client: data.introspectionClientId ?? null,
    profile: data.profile ?? null,
  }
}

const columns = String(Object.keys(apis.columns))
const byAudience = kept<ApiRow>(apis, {
  name: 'apis-by-audience',
  text: `select ${columns} from api_view where audience = any($1::text[])`,
  keysOf: row => [row.audience],
})
const byScope = kept<ApiRow>(apis, {
  name: 'apis-by-scope',
  text: `select ${columns} from api_view where scopes && $1::text[]`,
  keysOf: row => row.scopes,
})

/** The API with the audience, or without one every API that knows one of the scopes. Suspended ones among them. */
export async function findApis(
  db: DataSource,
  wanted: { audience: string | undefined; scopes: readonly string[] },
): Promise<readonly ApiRow[]> {
  const pool = poolOf(db)
  if (wanted.audience !== undefined) return byAudience(pool, wanted.audience)
  const found = await Promise.all(wanted.scopes.map(scope => byScope(pool, scope)))
  return [...new Map(found.flat().map(api => [api.api_id, api])).values()]
}

/** The API with the audience; undefined while the token service has not heard of it. */
export async function findApi(db: DataSource, audience: string): Promise<ApiRow | undefined> {
  const [api] = await byAudience(poolOf(db), audience)
  return api
}

/** What tokens for the registered APIs are signed with. */
export async function usedAlgorithms(db: DataSource): Promise<SigningAlgorithm[]> {
  const rows: { signing_alg: SigningAlgorithm }[] = await db.query(
    'select distinct signing_alg from api_view',
  )
  return rows.map(({ signing_alg }) => signing_alg)
}

/** The types of authorization details that some API understands. */
export async function findDetailsTypes(db: DataSource): Promise<string[]> {
  const rows: { type: string }[] = await db.query(
    'select distinct unnest(details_types) as type from api_view order by type',
  )
  return rows.map(({ type }) => type)
}
